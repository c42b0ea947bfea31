-- Clients that prove themselves with a key (private_key_jwt), and the assertions that were used.

create table client_keys (
    tenant_id text not null,
    id text not null,
    client_id text not null,
    name text,
    kid text not null,
    algorithm text not null,
    jwk text not null,
    created_at bigint not null,
    updated_at bigint not null,
    expires_at bigint,
    primary key (tenant_id, id),
    unique (tenant_id, client_id, kid),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade
);

-- No foreign key: a job must not fail because its client was removed meanwhile.
create table used_assertions (
    tenant_id text not null,
    client_id text not null,
    jti text not null,
    expires_at bigint not null,
    primary key (tenant_id, client_id, jti)
);
create index used_assertions_by_expiry on used_assertions (expires_at);
