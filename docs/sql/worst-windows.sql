-- The ten windows with the least balanced layer, and the placements that they ran under.
select incarnation, index, closedAt, states, worstLayer,
    round(balanceMin, 3) as worst_layer_balancedness,
    round(balanceMean, 3) as balancedness,
    tokens
from 'summaries.parquet'
where balanceMin is not null
order by balanceMin, incarnation, index
limit 10;
