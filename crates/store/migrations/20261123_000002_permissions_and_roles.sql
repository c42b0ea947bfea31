-- What users may do with an API, directly and by their roles (RBAC).

create table roles (
    tenant_id text not null references tenants (id) on delete cascade,
    id text not null,
    name text not null,
    description text,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table role_permissions (
    tenant_id text not null,
    role_id text not null,
    api_id text not null,
    scope text not null,
    primary key (tenant_id, role_id, api_id, scope),
    foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade,
    foreign key (tenant_id, api_id) references apis (tenant_id, id) on delete cascade
);
create index role_permissions_by_api on role_permissions (tenant_id, api_id);

create table user_roles (
    tenant_id text not null,
    user_id text not null,
    role_id text not null,
    primary key (tenant_id, user_id, role_id),
    foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
    foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade
);
create index user_roles_by_role on user_roles (tenant_id, role_id);

create table user_permissions (
    tenant_id text not null,
    user_id text not null,
    api_id text not null,
    scope text not null,
    primary key (tenant_id, user_id, api_id, scope),
    foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
    foreign key (tenant_id, api_id) references apis (tenant_id, id) on delete cascade
);
create index user_permissions_by_api on user_permissions (tenant_id, api_id);
