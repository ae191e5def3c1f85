package bench;

import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import shop.Event;

/** Jackson streaming parse; runs on the source task thread. Emits every event (reusing one object, which is serialized at once). */
public final class ShopParse implements KafkaRecordDeserializationSchema<Event> {
    private transient Event ev;
    @Override public void deserialize(ConsumerRecord<byte[], byte[]> r, Collector<Event> out) throws IOException {
        Event e = ev;
        if (e == null) { ev = e = new Event(); Main.first(); }
        e.parse(r.value());
        out.collect(e);
    }
    @Override public TypeInformation<Event> getProducedType() { return new TI<>(Event.class, Sers.Events.INSTANCE); }
}
