-- How evenly ranks were loaded, hour by hour (UTC): complete windows, their mean balancedness, and that of the worst layer of any.
select date_trunc('hour', make_timestamp(epoch_us(closedAt))) as hour,
    count(*) as windows,
    round(avg(balanceMean), 3) as balancedness,
    round(min(balanceMin), 3) as worst_layer
from 'summaries.parquet'
where reason = 'COMPLETE'
group by hour
order by hour;
