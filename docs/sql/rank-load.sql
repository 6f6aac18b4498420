-- Balancedness of every layer, from what its ranks computed under the placements that were served: mean rank load ÷ max rank load of
-- each window; and the rank that was the hottest most often. Needs: plimsoll export --by slot (or both).
with ranks as (
    select incarnation, index, layer, rank, sum(load)::bigint as tokens
    from 'window-slots.parquet'
    group by all
), windows as (
    select incarnation, index, layer, avg(tokens) / max(tokens) as balancedness, arg_max(rank, tokens) as hottest
    from ranks
    group by all
    having max(tokens) > 0
), hottest as (
    select layer, hottest, count(*) as windows
    from windows
    group by all
)
select layer,
    count(*) as windows,
    round(avg(balancedness), 4) as balancedness,
    round(min(balancedness), 4) as worst_window,
    (select arg_max(h.hottest, h.windows) from hottest h where h.layer = w.layer) as hottest_rank,
    round((select max(h.windows) from hottest h where h.layer = w.layer) / count(*), 2) as of_windows
from windows w
group by layer
order by layer;
