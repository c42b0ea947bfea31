-- What was issued for each API by hour, whichever application asked, so that the page that revokes a key need not read
-- every application's usage. No token lives for longer than thirty days: what is older is not taken over.

create table api_traffic (
    tenant_id text not null,
    api_id text not null,
    hour bigint not null,
    node_id text not null,
    tokens bigint not null,
    primary key (tenant_id, api_id, hour, node_id)
);

insert into api_traffic (tenant_id, api_id, hour, node_id, tokens)
    select usage.tenant_id, usage.api_id, usage.hour, usage.node_id, sum(usage.tokens)
    from tenants cross join usage
    where usage.tenant_id = tenants.id and usage.hour > (select max(hour) - 2592000000 from traffic)
        and usage.api_id <> ''
    group by usage.tenant_id, usage.api_id, usage.hour, usage.node_id;

-- What one page shows once, such as a private key that was just made: sealed under what the browser holds.
alter table administrator_sessions add column shown_sealed text;
