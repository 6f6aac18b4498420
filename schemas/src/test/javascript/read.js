// Reads topics from their beginning with kafkajs, as it is installed, without plug-ins; prints a line per record.
// node read.js BROKERS RECORDS TOPIC...
const { Kafka, logLevel } = require('kafkajs');

const [brokers, count, ...topics] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'test', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: 'kafkajs-test', retry: { retries: 3 } });
let left = Number(count);

consumer.on(consumer.events.CRASH, ({ payload }) => {
  console.error(String(payload.error));
  process.exit(1);
});

async function run() {
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      console.log(`${topic} ${message.key} ${message.value.toString('base64')}`);
      if (--left === 0) {
        process.exit(0);
      }
    },
  });
}

run().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
