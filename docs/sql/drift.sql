-- How much the load of experts changes from one window to the next: cosine of the two windows' loads, of each layer; 1 is no change.
-- Where it is low, a plan made from the past serves the future badly.
with vectors as (
    select incarnation, index, closedAt, layer, list(load::double order by expert) as load
    from 'windows.parquet'
    where reason = 'COMPLETE'
    group by all
), steps as (
    select *, lag(load) over (partition by incarnation, layer order by index) as before
    from vectors
)
select incarnation, index, closedAt,
    round(avg(list_cosine_similarity(load, before)), 4) as similarity,
    round(min(list_cosine_similarity(load, before)), 4) as least_similar,
    arg_min(layer, list_cosine_similarity(load, before)) as in_layer
from steps
where before is not null
group by all
order by least_similar, incarnation, index
limit 10;
