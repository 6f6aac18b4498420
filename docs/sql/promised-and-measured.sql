-- What each settled decision had promised, and what the first whole window after it has shown.
select d.incarnation, d.epoch, d.proposedAt, d.policy, d.moves,
    round(d.currentBalancedness, 3) as before,
    round(d.predictedBalancedness, 3) as predicted,
    round(o.realisedMean, 3) as measured,
    round(o.realisedMean - d.predictedBalancedness, 3) as beyond_promise,
    epoch_ms(d.endedAt) - epoch_ms(d.proposedAt) as took_ms
from 'decisions.parquet' d
left join 'outcomes.parquet' o on o.incarnation = d.incarnation and o.version = d.epoch
where d."end" = 'SETTLED'
order by d.incarnation, d.epoch;
