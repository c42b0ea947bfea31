-- Finding applications and users by how a word of their name begins: `beginning` is that part of the name, in lower case,
-- as hexadecimal digits, which every collation puts in one order.

create table names (
    tenant_id text not null references tenants (id) on delete cascade,
    kind text not null,
    beginning text not null,
    named_id text not null,
    primary key (tenant_id, kind, beginning, named_id)
);

-- How far the names of what was there before are written; a row goes when its tenant's are. In the background, since
-- there may be millions.
create table namings (
    tenant_id text not null references tenants (id) on delete cascade,
    kind text not null,
    seen_to text not null,
    primary key (tenant_id, kind)
);
insert into namings (tenant_id, kind, seen_to) select id, 'client', '' from tenants;
insert into namings (tenant_id, kind, seen_to) select id, 'user', '' from tenants;
