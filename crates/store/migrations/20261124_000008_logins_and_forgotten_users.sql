-- When users last signed in, counted from the log; and users who were removed, until the log has forgotten them.

alter table users add column logins_count bigint not null default 0;
alter table users add column last_login_at bigint;
alter table users add column last_address text;
create index users_by_last_login on users (tenant_id, last_login_at);

-- No foreign key: a removed tenant's log is still there, until its time is over.
create table forgotten_users (
    tenant_id text not null,
    pseudonym text not null,
    user_id text not null,
    names text not null,
    removed_at bigint not null,
    due_at bigint not null,
    seen_to text not null,
    primary key (tenant_id, pseudonym)
);
create index forgotten_users_by_time on forgotten_users (due_at);
