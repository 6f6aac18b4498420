-- Can the numbers be trusted? Hour by hour (UTC): windows by why they were closed, cells missing, load that no window could be given.
select date_trunc('hour', make_timestamp(epoch_us(closedAt))) as hour,
    count(*) as windows,
    count(*) filter (reason = 'COMPLETE') as complete,
    string_agg(distinct reason, ' ' order by reason) filter (reason <> 'COMPLETE') as other_reasons,
    round(sum(cellsPresent) / sum(cellsExpected), 4) as completeness,
    max(ranksMissing) as most_ranks_missing,
    sum(unattributed)::bigint as unattributed,
    sum(late)::bigint as late_samples
from 'summaries.parquet'
group by hour
order by hour;
