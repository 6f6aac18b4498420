-- The topics as tables of Flink SQL: made from the schemas, by GeneratedPagesTest. The topics of several kinds of records (samples,
-- aggregator-state) are none. What each column means is said by 'plimsoll schemas show RECORD'.
--
-- Needs flink-sql-connector-kafka and flink-sql-avro-confluent-registry on Flink's class path, Kafka at localhost:9092 and the
-- registry of 'plimsoll up' or 'plimsoll registry' at http://localhost:8081.

-- the newest incarnation of every deployment
CREATE TABLE members (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `model` STRING NOT NULL,
  `experts` INT NOT NULL,
  `topK` INT NOT NULL,
  `layerIds` ARRAY<INT NOT NULL> NOT NULL,
  `nodeOfRank` ARRAY<INT NOT NULL> NOT NULL,
  `slotsPerRank` INT NOT NULL,
  `engine` STRING NOT NULL,
  `phase` STRING NOT NULL,
  `gather` STRING NOT NULL,
  `boundarySteps` INT NOT NULL,
  `windowSteps` INT NOT NULL,
  `bytesPerExpert` BIGINT NOT NULL,
  `stagingBytesPerRank` BIGINT NOT NULL,
  `idleSlots` BOOLEAN NOT NULL,
  `movesWeights` BOOLEAN NOT NULL,
  `load` STRING NOT NULL,
  `replicaShare` STRING NOT NULL,
  `acceptBoundaries` INT NOT NULL,
  `progressBoundaries` INT NOT NULL,
  `initial` ARRAY<INT NOT NULL> NOT NULL,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  PRIMARY KEY (`record_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'plimsoll.members.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"Membership","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"model","type":"string"},{"name":"experts","type":"int"},{"name":"topK","type":"int"},{"name":"layerIds","type":{"type":"array","items":"int"}},{"name":"nodeOfRank","type":{"type":"array","items":"int"}},{"name":"slotsPerRank","type":"int"},{"name":"engine","type":"string","default":""},{"name":"phase","type":{"type":"enum","name":"Phase","symbols":["UNKNOWN","PREFILL","DECODE","ALL"],"default":"UNKNOWN"},"default":"ALL"},{"name":"gather","type":{"type":"enum","name":"GatherMode","symbols":["UNKNOWN","DEVICE","HOST","NONE"],"default":"UNKNOWN"},"default":"UNKNOWN"},{"name":"boundarySteps","type":"int"},{"name":"windowSteps","type":"int"},{"name":"bytesPerExpert","type":"long"},{"name":"stagingBytesPerRank","type":"long"},{"name":"idleSlots","type":"boolean","default":false},{"name":"movesWeights","type":"boolean","default":false},{"name":"load","type":{"type":"enum","name":"LoadKind","symbols":["UNKNOWN","COMPUTED","ROUTED_TO","REPLICATED"],"default":"UNKNOWN"},"default":"COMPUTED"},{"name":"replicaShare","type":{"type":"enum","name":"ReplicaShare","symbols":["UNKNOWN","EVEN","BY_SOURCE","LOCAL_FIRST","HASHED_ROW","FITTED"],"default":"UNKNOWN"},"default":"EVEN"},{"name":"acceptBoundaries","type":"int","default":0},{"name":"progressBoundaries","type":"int","default":0},{"name":"initial","type":{"type":"array","items":"int"},"default":[]}]}'
);

-- load of one layer over one window, final
CREATE TABLE windows (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `phase` STRING NOT NULL,
  `index` BIGINT NOT NULL,
  `stepFrom` BIGINT NOT NULL,
  `stepTo` BIGINT NOT NULL,
  `layer` INT NOT NULL,
  `segment` INT NOT NULL,
  `state` ROW<`settledVersion` INT NOT NULL, `epoch` INT NOT NULL, `batchesFlipped` INT NOT NULL> NOT NULL,
  `firstSlot` INT NOT NULL,
  `load` ARRAY<BIGINT NOT NULL> NOT NULL,
  `subWindows` INT NOT NULL,
  `firstSubWindow` INT NOT NULL,
  `windowParts` INT NOT NULL,
  `subLoad` ARRAY<BIGINT NOT NULL> NOT NULL,
  `subPacked` BYTES NOT NULL,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'plimsoll.windows.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'scan.startup.mode' = 'earliest-offset',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"LoadWindow","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"phase","type":{"type":"enum","name":"Phase","symbols":["UNKNOWN","PREFILL","DECODE","ALL"],"default":"UNKNOWN"},"default":"ALL"},{"name":"index","type":"long"},{"name":"stepFrom","type":"long"},{"name":"stepTo","type":"long"},{"name":"layer","type":"int"},{"name":"segment","type":"int","default":0},{"name":"state","type":{"type":"record","name":"PlacementState","fields":[{"name":"settledVersion","type":"int"},{"name":"epoch","type":"int","default":0},{"name":"batchesFlipped","type":"int","default":0}]}},{"name":"firstSlot","type":"int","default":0},{"name":"load","type":{"type":"array","items":"long"}},{"name":"subWindows","type":"int","default":1},{"name":"firstSubWindow","type":"int","default":0},{"name":"windowParts","type":"int","default":0},{"name":"subLoad","type":{"type":"array","items":"long"}},{"name":"subPacked","type":"bytes","default":""}]}'
);

-- one window at a glance: completeness, balancedness, counts
CREATE TABLE window_summaries (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `phase` STRING NOT NULL,
  `index` BIGINT NOT NULL,
  `previousIndex` BIGINT NOT NULL,
  `stepFrom` BIGINT NOT NULL,
  `stepTo` BIGINT NOT NULL,
  `reason` STRING NOT NULL,
  `completeness` DOUBLE NOT NULL,
  `expected` INT NOT NULL,
  `present` ARRAY<BIGINT NOT NULL> NOT NULL,
  `balance` ROW<`mean` DOUBLE NOT NULL, `min` DOUBLE NOT NULL, `worstLayer` INT NOT NULL, `layers` INT NOT NULL> NOT NULL,
  `states` ARRAY<ROW<`settledVersion` INT NOT NULL, `epoch` INT NOT NULL, `batchesFlipped` INT NOT NULL> NOT NULL> NOT NULL,
  `tokens` BIGINT NOT NULL,
  `conserved` BOOLEAN NOT NULL,
  `accepted` BIGINT NOT NULL,
  `unattributed` BIGINT NOT NULL,
  `late` BIGINT NOT NULL,
  `duplicates` BIGINT NOT NULL,
  `conflicts` BIGINT NOT NULL,
  `rejected` BIGINT NOT NULL,
  `partition` INT NOT NULL,
  `closingOffset` BIGINT NOT NULL,
  `closedAt` TIMESTAMP(3) NOT NULL,
  `stepTime` ROW<`elapsedNanos` ARRAY<BIGINT NOT NULL> NOT NULL, `idleNanos` ARRAY<BIGINT NOT NULL> NOT NULL, `boundaries` INT NOT NULL, `lowestDecileNanos` BIGINT NOT NULL>,
  `conservation` STRING NOT NULL,
  `violations` ARRAY<ROW<`layer` INT NOT NULL, `computed` BIGINT NOT NULL, `routed` BIGINT NOT NULL> NOT NULL> NOT NULL,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'plimsoll.window-summaries.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'scan.startup.mode' = 'earliest-offset',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"WindowSummary","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"phase","type":{"type":"enum","name":"Phase","symbols":["UNKNOWN","PREFILL","DECODE","ALL"],"default":"UNKNOWN"},"default":"ALL"},{"name":"index","type":"long"},{"name":"previousIndex","type":"long"},{"name":"stepFrom","type":"long"},{"name":"stepTo","type":"long"},{"name":"reason","type":{"type":"enum","name":"CloseReason","symbols":["UNKNOWN","COMPLETE","GAP","SPANNING","STEPS","TIME","INCARNATION","RESYNC","TRUNCATED","IDLE"],"default":"UNKNOWN"}},{"name":"completeness","type":"double","default":0.0},{"name":"expected","type":"int"},{"name":"present","type":{"type":"array","items":"long"}},{"name":"balance","type":{"type":"record","name":"Balance","fields":[{"name":"mean","type":"double"},{"name":"min","type":"double"},{"name":"worstLayer","type":"int","default":-1},{"name":"layers","type":"int","default":0}]}},{"name":"states","type":{"type":"array","items":{"type":"record","name":"PlacementState","fields":[{"name":"settledVersion","type":"int"},{"name":"epoch","type":"int","default":0},{"name":"batchesFlipped","type":"int","default":0}]}},"default":[]},{"name":"tokens","type":"long","default":0},{"name":"conserved","type":"boolean","default":true},{"name":"accepted","type":"long","default":0},{"name":"unattributed","type":"long","default":0},{"name":"late","type":"long","default":0},{"name":"duplicates","type":"long","default":0},{"name":"conflicts","type":"long","default":0},{"name":"rejected","type":"long","default":0},{"name":"partition","type":"int","default":0},{"name":"closingOffset","type":"long","default":-1},{"name":"closedAt","type":{"type":"long","logicalType":"timestamp-millis"},"default":0},{"name":"stepTime","type":["null",{"type":"record","name":"StepTime","fields":[{"name":"elapsedNanos","type":{"type":"array","items":"long"}},{"name":"idleNanos","type":{"type":"array","items":"long"}},{"name":"boundaries","type":"int"},{"name":"lowestDecileNanos","type":"long"}]}],"default":null},{"name":"conservation","type":{"type":"enum","name":"Conservation","symbols":["UNKNOWN","YES","NO"],"default":"UNKNOWN"},"default":"UNKNOWN"},{"name":"violations","type":{"type":"array","items":{"type":"record","name":"Violation","fields":[{"name":"layer","type":"int"},{"name":"computed","type":"long"},{"name":"routed","type":"long"}]}},"default":[]}]}'
);

-- decisions: what is proposed, permitted, aborted and settled, the audit log
CREATE TABLE plan (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `kind` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `term` BIGINT NOT NULL,
  `number` BIGINT NOT NULL,
  `planner` STRING,
  `epoch` INT,
  `basedOn` INT,
  `planHash` STRING,
  `batches` ARRAY<ROW<`number` INT NOT NULL, `moves` ARRAY<ROW<`layer` INT NOT NULL, `slot` INT NOT NULL, `expert` INT NOT NULL, `source` INT NOT NULL> NOT NULL> NOT NULL, `switches` ARRAY<ROW<`layer` INT NOT NULL, `slot` INT NOT NULL, `inUse` BOOLEAN NOT NULL> NOT NULL> NOT NULL> NOT NULL> NOT NULL,
  `windowIndex` BIGINT,
  `currentBalancedness` DOUBLE,
  `predictedBalancedness` DOUBLE,
  `policy` STRING,
  `reason` STRING,
  `batchesFlipped` INT,
  `complete` BOOLEAN,
  `placementHash` STRING,
  `reasons` ARRAY<ROW<`layer` INT NOT NULL, `before` DOUBLE NOT NULL, `predicted` DOUBLE NOT NULL, `bound` DOUBLE NOT NULL, `gains` ARRAY<FLOAT NOT NULL> NOT NULL, `stop` STRING NOT NULL, `refused` DOUBLE NOT NULL> NOT NULL> NOT NULL,
  `kept` ARRAY<ROW<`stop` STRING NOT NULL, `layers` INT NOT NULL> NOT NULL> NOT NULL,
  `settings` STRING,
  `historyWindows` INT,
  `oldestWindow` BIGINT,
  `loadsHash` STRING,
  `windowTimeMillis` BIGINT,
  `unjudged` ARRAY<BIGINT NOT NULL> NOT NULL,
  `lastWindow` BIGINT,
  `step` ROW<`expertMicrosBefore` DOUBLE NOT NULL, `expertMicrosPromised` DOUBLE NOT NULL, `stepMicrosBefore` DOUBLE NOT NULL, `stepMicrosPromised` DOUBLE NOT NULL, `assumed` BOOLEAN NOT NULL>,
  `learned` ROW<`step` ROW<`scale` DOUBLE NOT NULL, `scaleLow` DOUBLE NOT NULL, `scaleHigh` DOUBLE NOT NULL, `otherMicros` DOUBLE NOT NULL, `windows` INT NOT NULL, `flips` INT NOT NULL, `leastExpertMicros` DOUBLE NOT NULL, `mostExpertMicros` DOUBLE NOT NULL, `assumed` BOOLEAN NOT NULL>, `bytesPerSecond` DOUBLE NOT NULL, `flipNanos` DOUBLE NOT NULL, `batches` INT NOT NULL, `delivered` DOUBLE NOT NULL, `noise` DOUBLE NOT NULL, `lastingWindows` INT, `decisions` INT NOT NULL>,
  `needsApproval` BOOLEAN NOT NULL,
  `control` STRING,
  `restartOffset` BIGINT,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'plimsoll.plan.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'scan.startup.mode' = 'earliest-offset',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"PlanCommand","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"kind","type":{"type":"enum","name":"PlanCommandKind","symbols":["UNKNOWN","TERM","PROPOSE","PERMIT","ABORT","SETTLED","VOID"],"default":"UNKNOWN"}},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"term","type":"long"},{"name":"number","type":"long"},{"name":"planner","type":["null","string"],"default":null},{"name":"epoch","type":["null","int"],"default":null},{"name":"basedOn","type":["null","int"],"default":null},{"name":"planHash","type":["null","string"],"default":null},{"name":"batches","type":{"type":"array","items":{"type":"record","name":"Batch","fields":[{"name":"number","type":"int"},{"name":"moves","type":{"type":"array","items":{"type":"record","name":"Move","fields":[{"name":"layer","type":"int"},{"name":"slot","type":"int"},{"name":"expert","type":"int"},{"name":"source","type":"int"}]}},"default":[]},{"name":"switches","type":{"type":"array","items":{"type":"record","name":"Switch","fields":[{"name":"layer","type":"int"},{"name":"slot","type":"int"},{"name":"inUse","type":"boolean"}]}},"default":[]}]}},"default":[]},{"name":"windowIndex","type":["null","long"],"default":null},{"name":"currentBalancedness","type":["null","double"],"default":null},{"name":"predictedBalancedness","type":["null","double"],"default":null},{"name":"policy","type":["null","string"],"default":null},{"name":"reason","type":["null","string"],"default":null},{"name":"batchesFlipped","type":["null","int"],"default":null},{"name":"complete","type":["null","boolean"],"default":null},{"name":"placementHash","type":["null","string"],"default":null},{"name":"reasons","type":{"type":"array","items":{"type":"record","name":"LayerReason","fields":[{"name":"layer","type":"int"},{"name":"before","type":"double"},{"name":"predicted","type":"double"},{"name":"bound","type":"double"},{"name":"gains","type":{"type":"array","items":"float"},"default":[]},{"name":"stop","type":{"type":"enum","name":"LayerStop","symbols":["UNKNOWN","UNLOADED","OPTIMUM","PRICE","NOISE","BUDGET","STAGING","REDUNDANCY"],"default":"UNKNOWN"}},{"name":"refused","type":"double","default":0}]}},"default":[]},{"name":"kept","type":{"type":"array","items":{"type":"record","name":"KeptLayers","fields":[{"name":"stop","type":"LayerStop"},{"name":"layers","type":"int"}]}},"default":[]},{"name":"settings","type":["null","string"],"default":null},{"name":"historyWindows","type":["null","int"],"default":null},{"name":"oldestWindow","type":["null","long"],"default":null},{"name":"loadsHash","type":["null","string"],"default":null},{"name":"windowTimeMillis","type":["null","long"],"default":null},{"name":"unjudged","type":{"type":"array","items":"long"},"default":[]},{"name":"lastWindow","type":["null","long"],"default":null},{"name":"step","type":["null",{"type":"record","name":"StepPromise","fields":[{"name":"expertMicrosBefore","type":"double"},{"name":"expertMicrosPromised","type":"double"},{"name":"stepMicrosBefore","type":"double"},{"name":"stepMicrosPromised","type":"double"},{"name":"assumed","type":"boolean","default":false}]}],"default":null},{"name":"learned","type":["null",{"type":"record","name":"Learned","fields":[{"name":"step","type":["null",{"type":"record","name":"StepCalibration","fields":[{"name":"scale","type":"double"},{"name":"scaleLow","type":"double"},{"name":"scaleHigh","type":"double"},{"name":"otherMicros","type":"double"},{"name":"windows","type":"int"},{"name":"flips","type":"int"},{"name":"leastExpertMicros","type":"double"},{"name":"mostExpertMicros","type":"double"},{"name":"assumed","type":"boolean","default":false}]}],"default":null},{"name":"bytesPerSecond","type":"double"},{"name":"flipNanos","type":"double"},{"name":"batches","type":"int"},{"name":"delivered","type":"double"},{"name":"noise","type":"double"},{"name":"lastingWindows","type":["null","int"],"default":null},{"name":"decisions","type":"int"}]}],"default":null},{"name":"needsApproval","type":"boolean","default":false},{"name":"control","type":["null","string"],"default":null},{"name":"restartOffset","type":["null","long"],"default":null}]}'
);

-- what ranks did with decisions
CREATE TABLE acks (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `rank` INT NOT NULL,
  `epoch` INT NOT NULL,
  `kind` STRING NOT NULL,
  `batch` INT NOT NULL,
  `refusal` STRING,
  `planHash` STRING NOT NULL,
  `step` BIGINT NOT NULL,
  `cost` ROW<`receivedBytes` BIGINT NOT NULL, `transferNanos` BIGINT NOT NULL, `flipNanos` BIGINT NOT NULL>,
  `peer` INT,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'plimsoll.acks.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'scan.startup.mode' = 'earliest-offset',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"RankAck","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"rank","type":"int"},{"name":"epoch","type":"int"},{"name":"kind","type":{"type":"enum","name":"AckKind","symbols":["UNKNOWN","ACCEPTED","REFUSED","FLIPPED","ABORTED","FATAL"],"default":"UNKNOWN"}},{"name":"batch","type":"int","default":0},{"name":"refusal","type":["null",{"type":"enum","name":"Refusal","symbols":["UNKNOWN","STALE_BASE","FOREIGN_INCARNATION","INVALID_PLAN","NO_MEMORY","BUSY","HASH_MISMATCH","OBSERVE_ONLY","TRANSFER_FAILED","DEAF","BEHIND","ENGINE_CHANGED"],"default":"UNKNOWN"}],"default":null},{"name":"planHash","type":"string"},{"name":"step","type":"long","default":0},{"name":"cost","type":["null",{"type":"record","name":"FlipCost","fields":[{"name":"receivedBytes","type":"long"},{"name":"transferNanos","type":"long"},{"name":"flipNanos","type":"long"}]}],"default":null},{"name":"peer","type":["null","int"],"default":null}]}'
);

-- the settled expert of every slot, per layer
CREATE TABLE placements (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `version` INT NOT NULL,
  `layer` INT NOT NULL,
  `layers` INT NOT NULL,
  `placementHash` STRING NOT NULL,
  `experts` ARRAY<BIGINT NOT NULL> NOT NULL,
  `idle` ARRAY<INT NOT NULL> NOT NULL,
  `restart` ROW<`stretches` ARRAY<BIGINT NOT NULL> NOT NULL, `from` BIGINT NOT NULL, `version` INT NOT NULL, `term` BIGINT NOT NULL, `number` BIGINT NOT NULL, `lastEpoch` INT NOT NULL, `earlier` ARRAY<BIGINT NOT NULL> NOT NULL, `outcomes` ARRAY<BIGINT NOT NULL> NOT NULL>,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  PRIMARY KEY (`record_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'plimsoll.placements.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"SettledPlacement","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"version","type":"int"},{"name":"layer","type":"int"},{"name":"layers","type":"int"},{"name":"placementHash","type":"string"},{"name":"experts","type":{"type":"array","items":"long"}},{"name":"idle","type":{"type":"array","items":"int"},"default":[]},{"name":"restart","type":["null",{"type":"record","name":"PlanRestart","fields":[{"name":"stretches","type":{"type":"array","items":"long"}},{"name":"from","type":"long"},{"name":"version","type":"int"},{"name":"term","type":"long"},{"name":"number","type":"long"},{"name":"lastEpoch","type":"int"},{"name":"earlier","type":{"type":"array","items":"long"},"default":[]},{"name":"outcomes","type":{"type":"array","items":"long"},"default":[]}]}],"default":null}]}'
);

-- what settled decisions had promised and what came of it
CREATE TABLE outcomes (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `deployment` STRING NOT NULL,
  `incarnation` BIGINT NOT NULL,
  `version` INT NOT NULL,
  `windowIndex` BIGINT NOT NULL,
  `moves` INT NOT NULL,
  `before` DOUBLE NOT NULL,
  `predicted` DOUBLE NOT NULL,
  `realised` ROW<`mean` DOUBLE NOT NULL, `min` DOUBLE NOT NULL, `worstLayer` INT NOT NULL, `layers` INT NOT NULL> NOT NULL,
  `promisedGain` DOUBLE,
  `step` ROW<`expertMicrosBefore` DOUBLE NOT NULL, `expertMicrosPromised` DOUBLE NOT NULL, `stepMicrosBefore` DOUBLE NOT NULL, `stepMicrosPromised` DOUBLE NOT NULL, `assumed` BOOLEAN NOT NULL>,
  `measured` ROW<`windows` INT NOT NULL, `firstWindow` BIGINT NOT NULL, `lastWindow` BIGINT NOT NULL, `last` BOOLEAN NOT NULL, `gain` DOUBLE NOT NULL, `spread` DOUBLE NOT NULL, `lasted` INT NOT NULL, `halved` BOOLEAN NOT NULL, `balancednessWith` DOUBLE NOT NULL, `balancednessWithout` DOUBLE NOT NULL, `expertMicrosWith` DOUBLE, `expertMicrosWithout` DOUBLE, `stepMicros` DOUBLE>,
  `policy` STRING,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'plimsoll.outcomes.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'scan.startup.mode' = 'earliest-offset',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"Outcome","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"deployment","type":"string"},{"name":"incarnation","type":"long","default":0},{"name":"version","type":"int"},{"name":"windowIndex","type":"long"},{"name":"moves","type":"int","default":0},{"name":"before","type":"double"},{"name":"predicted","type":"double"},{"name":"realised","type":{"type":"record","name":"Balance","fields":[{"name":"mean","type":"double"},{"name":"min","type":"double"},{"name":"worstLayer","type":"int","default":-1},{"name":"layers","type":"int","default":0}]}},{"name":"promisedGain","type":["null","double"],"default":null},{"name":"step","type":["null",{"type":"record","name":"StepPromise","fields":[{"name":"expertMicrosBefore","type":"double"},{"name":"expertMicrosPromised","type":"double"},{"name":"stepMicrosBefore","type":"double"},{"name":"stepMicrosPromised","type":"double"},{"name":"assumed","type":"boolean","default":true}]}],"default":null},{"name":"measured","type":["null",{"type":"record","name":"MeasuredGain","fields":[{"name":"windows","type":"int"},{"name":"firstWindow","type":"long"},{"name":"lastWindow","type":"long"},{"name":"last","type":"boolean","default":true},{"name":"gain","type":"double"},{"name":"spread","type":"double","default":0},{"name":"lasted","type":"int"},{"name":"halved","type":"boolean","default":false},{"name":"balancednessWith","type":"double"},{"name":"balancednessWithout","type":"double"},{"name":"expertMicrosWith","type":["null","double"],"default":null},{"name":"expertMicrosWithout","type":["null","double"],"default":null},{"name":"stepMicros","type":["null","double"],"default":null}]}],"default":null},{"name":"policy","type":["null","string"],"default":null}]}'
);

-- records that could not be read or used
CREATE TABLE quarantine (
  `record_key` STRING NOT NULL,
  `summary` STRING NOT NULL,
  `kind` STRING NOT NULL,
  `topic` STRING NOT NULL,
  `partition` INT NOT NULL,
  `offset` BIGINT NOT NULL,
  `timestamp` TIMESTAMP(3) NOT NULL,
  `key` STRING NOT NULL,
  `reason` STRING NOT NULL,
  `detail` STRING NOT NULL,
  `bytes` STRING NOT NULL,
  `originalBytes` INT NOT NULL,
  `records` BIGINT NOT NULL,
  `lastOffset` BIGINT NOT NULL,
  `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `record_time` AS `record_time` - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'plimsoll.quarantine.v1',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.isolation.level' = 'read_committed',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'scan.startup.mode' = 'earliest-offset',
  'value.format' = 'avro-confluent',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.avro-confluent.schema' = '{"type":"record","name":"Quarantined","namespace":"dev.plimsoll.wire","fields":[{"name":"summary","type":"string","default":""},{"name":"kind","type":{"type":"enum","name":"QuarantinedKind","symbols":["UNKNOWN","RECORD","LEFT_OUT","REPLAYED"],"default":"UNKNOWN"},"default":"RECORD"},{"name":"topic","type":"string"},{"name":"partition","type":"int"},{"name":"offset","type":"long"},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"},"default":0},{"name":"key","type":"string","default":""},{"name":"reason","type":"string"},{"name":"detail","type":"string","default":""},{"name":"bytes","type":"string","default":""},{"name":"originalBytes","type":"int","default":0},{"name":"records","type":"long","default":1},{"name":"lastOffset","type":"long","default":-1}]}'
);
