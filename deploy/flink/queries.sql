-- Questions to the tables of tables.sql, in the order in which docs/tools.md shows their answers.

-- Balancedness per minute of event time.
SELECT window_start, deployment, COUNT(*) AS windows, ROUND(AVG(`balance`.`mean`), 3) AS balancedness
FROM TABLE(TUMBLE(TABLE window_summaries, DESCRIPTOR(record_time), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, deployment;

-- The hottest slots of the first windows, against the mean of their layer.
SELECT deployment, `index`, layer, MAX(slot_load) AS hottest, AVG(slot_load) AS mean_load
FROM windows CROSS JOIN UNNEST(`load`) AS s (slot_load)
WHERE `index` = 0
GROUP BY deployment, incarnation, `index`, layer
ORDER BY hottest DESC
LIMIT 3;

-- Conservation: load of all slots, and what the routers saw times top-k (8) times layers (48).
SELECT SUM(slot_load) AS tokens_computed FROM windows CROSS JOIN UNNEST(`load`) AS s (slot_load);
SELECT SUM(`tokens`) * 8 * 48 AS tokens_routed FROM window_summaries;

-- What decisions had promised and what came of it.
SELECT deployment, version, moves, ROUND(`before`, 3) AS was, ROUND(`predicted`, 3) AS promised, ROUND(`realised`.`mean`, 3) AS became
FROM outcomes;

-- Why ranks refused, and how often.
SELECT `kind`, `refusal`, COUNT(*) AS n FROM acks GROUP BY `kind`, `refusal`;
