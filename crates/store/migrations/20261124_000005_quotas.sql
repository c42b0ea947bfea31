-- How many tokens a client was issued in an hour and in a day (UTC) while it had a quota. No foreign key: a job must not
-- fail because its client was removed meanwhile.

create table quotas (
    tenant_id text not null,
    client_id text not null,
    span text not null,
    starts_at bigint not null,
    used bigint not null,
    primary key (tenant_id, client_id, span, starts_at)
);
create index quotas_by_start on quotas (starts_at);
