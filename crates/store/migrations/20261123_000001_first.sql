-- The first tables. One text for SQLite and PostgreSQL: text, bigint and boolean only; the tenant comes
-- first in every key; times are milliseconds since 1970; JSON text is only carried, never searched.

create table installation (
    id bigint primary key check (id = 1),
    seal_check text not null,
    digest_key_sealed text not null,
    created_at bigint not null
);

create table tenants (
    id text primary key,
    name text not null,
    issuer text,
    settings text not null,
    created_at bigint not null,
    updated_at bigint not null
);

create table tenant_hosts (
    tenant_id text not null references tenants (id) on delete cascade,
    host text not null unique,
    primary key (tenant_id, host)
);

create table clients (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    name text not null,
    app_type text,
    grant_types text not null,
    token_endpoint_auth_method text,
    is_first_party boolean not null,
    is_global boolean not null,
    rest text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (tenant_id, id)
);
create index clients_by_name on clients (tenant_id, name);

create table client_secrets (
    tenant_id text not null,
    id text not null,
    client_id text not null,
    digest text not null,
    sealed text,
    created_at bigint not null,
    expires_at bigint,
    primary key (tenant_id, id),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade
);
create index client_secrets_by_client on client_secrets (tenant_id, client_id);

create table apis (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    identifier text,
    name text,
    signing_alg text not null,
    token_lifetime_s bigint not null,
    token_lifetime_for_web_s bigint not null,
    token_dialect text,
    enforce_policies boolean not null,
    allow_offline_access boolean not null,
    is_system boolean not null,
    signing_secret_sealed text,
    scopes text not null,
    rest text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, identifier)
);
create unique index apis_one_system on apis (tenant_id) where is_system;

create table client_grants (
    tenant_id text not null,
    id text not null,
    client_id text not null,
    api_id text not null,
    subject_type text not null,
    scopes text not null,
    allow_all_scopes boolean not null,
    rest text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, client_id, api_id, subject_type),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade,
    foreign key (tenant_id, api_id) references apis (tenant_id, id) on delete cascade
);
create index client_grants_by_api on client_grants (tenant_id, api_id);

create table connections (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    name text not null,
    strategy text not null,
    options text not null,
    rest text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table users (
    tenant_id text not null,
    id text not null,
    connection_id text not null,
    email text,
    email_normalised text,
    email_verified boolean not null,
    username text,
    username_normalised text,
    password_hash text,
    blocked boolean not null,
    rest text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, connection_id, email_normalised),
    unique (tenant_id, connection_id, username_normalised),
    foreign key (tenant_id, connection_id) references connections (tenant_id, id) on delete cascade
);

create table keys (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    algorithm text not null,
    state text not null,
    private_sealed text not null,
    public_jwk text not null,
    created_at bigint not null,
    current_at bigint,
    previous_at bigint,
    revoked_at bigint,
    primary key (tenant_id, id)
);
create unique index keys_one_next_and_one_current on keys (tenant_id, algorithm, state)
    where state in ('next', 'current');

create table revisions (
    tenant_id text primary key references tenants (id) on delete cascade,
    revision bigint not null
);

create table changes (
    tenant_id text not null references tenants (id) on delete cascade,
    revision bigint not null,
    kind text not null,
    id text not null,
    changed_at bigint not null,
    primary key (tenant_id, revision)
);
create index changes_by_time on changes (changed_at);

-- No foreign keys from here on: a job must not fail because a row it speaks of was removed meanwhile.

create table nodes (
    id text primary key,
    started_at bigint not null,
    seen_at bigint not null,
    folded_to text not null
);

create table logs (
    tenant_id text not null,
    id text not null,
    node_id text not null,
    happened_at bigint not null,
    kind text not null,
    client_id text,
    api_id text,
    user_id text,
    grant_type text,
    address text,
    tokens bigint not null,
    repeats bigint not null,
    body text not null,
    primary key (tenant_id, id)
);
create index logs_by_node on logs (node_id, id);

create table usage (
    tenant_id text not null,
    hour bigint not null,
    client_id text not null,
    api_id text not null,
    grant_type text not null,
    node_id text not null,
    tokens bigint not null,
    primary key (tenant_id, hour, client_id, api_id, grant_type, node_id)
);
