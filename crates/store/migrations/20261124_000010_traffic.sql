-- What a tenant was issued and refused by hour, whoever asked; and the way to the quotas of a day.

create index quotas_by_day on quotas (tenant_id, span, starts_at);

create table traffic (
    tenant_id text not null,
    hour bigint not null,
    node_id text not null,
    machine bigint not null,
    people bigint not null,
    refused bigint not null,
    primary key (tenant_id, hour, node_id)
);

insert into traffic (tenant_id, hour, node_id, machine, people, refused)
    select tenant_id, hour, node_id, sum(machine), sum(people), sum(refused) from (
        select tenant_id, hour, node_id,
            case when grant_type = 'client_credentials' then tokens else 0 end as machine,
            case when grant_type = 'client_credentials' then 0 else tokens end as people,
            0 as refused
        from usage
        union all
        select tenant_id, (happened_at / 3600000) * 3600000, node_id, 0, 0, repeats from logs
        where substr(kind, 1, 1) = 'f' and kind <> 'fapi'
            and not exists (select 1 from nodes where nodes.id = logs.node_id and nodes.folded_to < logs.id)
    ) as counted
    group by tenant_id, hour, node_id;
