-- The three hottest experts of every layer: their part of the layer's load, and how many fair shares that is.
with experts as (
    select layer, layerId, expert, sum(load)::bigint as tokens
    from 'windows.parquet'
    group by all
)
select layer, layerId, expert, tokens,
    round(tokens / sum(tokens) over of_layer, 4) as part,
    round(tokens / avg(tokens) over of_layer, 2) as fair_shares
from experts
window of_layer as (partition by layer)
qualify row_number() over (partition by layer order by tokens desc, expert) <= 3
order by layer, tokens desc, expert;
