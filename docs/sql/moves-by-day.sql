-- What rebalancing cost, day by day (UTC): decisions by how they ended, moves, and weights that crossed between ranks.
select date_trunc('day', make_timestamp(epoch_us(proposedAt)))::date as day,
    count(*) as decisions,
    count(*) filter ("end" = 'SETTLED') as settled,
    sum(moves) filter ("end" = 'SETTLED')::bigint as moves,
    sum(movesBetweenRanks) filter ("end" = 'SETTLED')::bigint as between_ranks,
    round(sum(bytes) filter ("end" = 'SETTLED') / 1e9, 3) as gigabytes
from 'decisions.parquet'
group by day
order by day;
