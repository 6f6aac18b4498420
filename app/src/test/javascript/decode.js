// Reads topics from their beginning with kafkajs and decodes them by a schema registry; prints what stands in each record, summed up.
// node decode.js BROKERS REGISTRY RECORDS TOPIC...
const { Kafka, logLevel } = require('kafkajs');
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry');
const avro = require('avsc');

// What people count fits into a double; the longs of this test do not.
const long = avro.types.LongType.__with({
  fromBuffer: (buffer) => buffer.readBigInt64LE(),
  toBuffer: (value) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value) => typeof value === 'bigint',
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
});

const [brokers, host, count, ...topics] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'test', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const registry = new SchemaRegistry(
  { host },
  { [SchemaType.AVRO]: { typeHook: (schema) => (schema === 'long' || schema.type === 'long' ? long : undefined) } },
);
const consumer = kafka.consumer({ groupId: 'registry-test', retry: { retries: 3 } });
let left = Number(count);

function add(value, sums, schema) {
  const type = Array.isArray(schema) ? schema[1] : schema;
  if (value !== null && type.type === 'record') {
    type.fields.forEach((field) => add(value[field.name], sums, resolve(field.type)));
  } else if (value !== null && type.type === 'array') {
    value.forEach((element) => add(element, sums, resolve(type.items)));
  } else {
    sums.values += 1;
    if (typeof value === 'bigint' || (typeof value === 'number' && type === 'int')) {
      sums.numbers += BigInt(value);
    } else if (Buffer.isBuffer(value)) {
      value.forEach((byte) => (sums.numbers += BigInt(byte)));
    } else if (typeof value === 'string') {
      sums.texts += Buffer.byteLength(value);
    }
  }
}

// Types that are named are written down once.
const named = {};
function resolve(type) {
  if (Array.isArray(type)) {
    return type.map(resolve);
  }
  if (typeof type === 'object') {
    if (type.name) {
      named[type.name] = type;
    }
    return type;
  }
  return named[type.replace('dev.plimsoll.wire.', '')] ?? type;
}

consumer.on(consumer.events.CRASH, ({ payload }) => {
  console.error(String(payload.error));
  process.exit(1);
});

async function run() {
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const value = await registry.decode(message.value);
      const id = message.value.readInt32BE(1);
      const schema = await (await fetch(`${host}/schemas/ids/${id}/schema`)).json();
      const sums = { values: 0, numbers: 0n, texts: 0 };
      add(value, sums, resolve(schema));
      console.log(`${topic} ${id} ${sums.values} ${sums.numbers} ${sums.texts}`);
      if (--left === 0) {
        process.exit(0);
      }
    },
  });
}

run().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
