-- Imports of users that were asked for over the Management API (its jobs), and what became of them; kept for a day.

create table transfers (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    kind text not null,
    connection_id text,
    external_id text,
    body text not null,
    errors text not null,
    created_at bigint not null,
    primary key (tenant_id, id)
);
create index transfers_by_age on transfers (tenant_id, created_at);
