# Reads topics from their beginning with confluent-kafka and decodes them by a schema registry; prints what stands in each record, summed up.
# python decode.py BROKERS REGISTRY RECORDS TOPIC...
import sys

import fastavro.read
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

# The instants of this test are random numbers, for which there is no date.
fastavro.read.LOGICAL_READERS["long-timestamp-millis"] = lambda millis, *schemas: millis

brokers, registry, count, *topics = sys.argv[1:]
client = SchemaRegistryClient({"url": registry})
deserializer = AvroDeserializer(client)
consumer = Consumer(
    {"bootstrap.servers": brokers, "group.id": "registry-test-python", "auto.offset.reset": "earliest", "enable.auto.commit": False}
)


def add(value, sums):
    if isinstance(value, dict):
        for field in value.values():
            add(field, sums)
    elif isinstance(value, list):
        for element in value:
            add(element, sums)
    else:
        sums[0] += 1
        if isinstance(value, int) and not isinstance(value, bool):
            sums[1] += value
        elif isinstance(value, bytes):
            sums[1] += sum(value)
        elif isinstance(value, str):
            sums[2] += len(value.encode())


consumer.subscribe(topics)
left, waited = int(count), 0
while left > 0:
    message = consumer.poll(1.0)
    if message is None:
        waited += 1
        if waited > 40:
            sys.exit(f"{left} records have not come")
        continue
    if message.error():
        sys.exit(str(message.error()))
    value = deserializer(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
    sums = [0, 0, 0]
    add(value, sums)
    print(message.topic(), int.from_bytes(message.value()[1:5], "big"), *sums)
    left -= 1
consumer.close()
