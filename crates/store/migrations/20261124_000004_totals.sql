-- How many rows a tenant has of what it can have a million of, so that a page can say so without counting; and the
-- orders in which the Management API reads.

create table totals (
    tenant_id text not null references tenants (id) on delete cascade,
    kind text not null,
    total bigint not null,
    primary key (tenant_id, kind)
);
insert into totals (tenant_id, kind, total)
    select tenant_id, 'clients', count(*) from clients group by tenant_id;
insert into totals (tenant_id, kind, total)
    select tenant_id, 'client_grants', count(*) from client_grants group by tenant_id;
insert into totals (tenant_id, kind, total)
    select tenant_id, 'users', count(*) from users group by tenant_id;

create unique index clients_one_global on clients (tenant_id) where is_global;
create index client_grants_by_api_and_id on client_grants (tenant_id, api_id, id);
