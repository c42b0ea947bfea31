-- The people who run a tenant from the console, the browsers in which they are signed in, and the links that let them in
-- once. What a browser or a link holds is kept as a digest alone.

create table administrators (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    email text not null,
    email_normalised text not null,
    name text,
    password_hash text,
    created_at bigint not null,
    updated_at bigint not null,
    signed_in_at bigint,
    primary key (tenant_id, id),
    unique (tenant_id, email_normalised)
);

create table administrator_sessions (
    tenant_id text not null,
    digest text not null,
    administrator_id text not null,
    address text not null,
    user_agent text not null,
    notice text,
    created_at bigint not null,
    seen_at bigint not null,
    primary key (tenant_id, digest),
    foreign key (tenant_id, administrator_id) references administrators (tenant_id, id) on delete cascade
);
create index administrator_sessions_by_administrator on administrator_sessions (tenant_id, administrator_id);
create index administrator_sessions_by_age on administrator_sessions (created_at);

create table sign_in_links (
    tenant_id text not null,
    digest text not null,
    administrator_id text not null,
    sets_password boolean not null,
    expires_at bigint not null,
    primary key (tenant_id, digest),
    foreign key (tenant_id, administrator_id) references administrators (tenant_id, id) on delete cascade
);
create index sign_in_links_by_administrator on sign_in_links (tenant_id, administrator_id);
create index sign_in_links_by_expiry on sign_in_links (expires_at);
