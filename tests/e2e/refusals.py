"""What must not be started is refused at start, with a sentence that says what to do, and no state is touched."""
import unittest

from support import place
from support.engine import World
from support.redis import Redis

RULES = {"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "email"}]}}}


class Refusals(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)

    def assert_refused(self, *words, status=2, **options):
        """It ends by itself and says all of these words. Status 2: started again, it would do the same."""
        ended, said = self.world.refusal(**options)
        self.assertEqual(ended, status, said)
        for word in words:
            self.assertIn(word, said)

    def test_an_option_that_does_not_exist(self):
        self.assert_refused("--worker", worker=2)

    def test_a_value_that_is_none_of_its_option(self):
        self.assert_refused("--workers", "many", workers="many")
        self.assert_refused("--lateness", "soon", lateness="soon")

    def test_an_option_that_is_missing(self):
        self.assert_refused("--group", group=None)

    def test_a_property_that_librdkafka_does_not_know(self):
        self.assert_refused("no.such.property", **{"kafka.no.such.property": 1})

    def test_a_property_that_delivery_depends_on(self):
        self.assert_refused("isolation.level", **{"kafka.isolation.level": "read_uncommitted"})

    def test_rules_that_do_not_check_are_shown_with_their_place(self):
        self.world.rules.write_text('{"events": {"ping": {}},\n "rules": {"answer": {"on": "pong", "do": []}}}')
        self.assert_refused("rules.json:2:", "pong", "ping")

    def test_rules_that_are_not_there(self):
        self.assert_refused("/nowhere", rules="/nowhere")

    def test_a_redis_that_evicts(self):
        redis = Redis(maxmemory_policy="allkeys-lru")
        self.addCleanup(redis.close)
        self.assert_refused("maxmemory-policy", "noeviction", redis=redis.url)
        self.assertEqual(redis("DBSIZE"), 0)

    def test_a_redis_that_is_not_there(self):
        self.assert_refused("/nowhere/redis", status=1, redis="unix:///nowhere/redis")

    def test_a_redis_that_is_a_replica(self):
        redis = Redis()
        self.addCleanup(redis.close)
        redis("REPLICAOF", "127.0.0.1", place.free_port())
        self.assert_refused("is a replica of 127.0.0.1:", "sentinel://", status=1, redis=redis.url)

    def test_an_input_topic_that_is_not_there(self):
        self.assert_refused("no.such.topic", input="no.such.topic")

    def test_an_output_topic_that_is_not_there(self):
        self.assert_refused("no.such.topic", output="no.such.topic")

    def test_an_input_topic_with_compaction(self):
        self.world.kafka.create(f"{self.world.input}.compacted", 4, cleanup_policy="compact")
        self.assert_refused("compact", input=f"{self.world.input}.compacted")

    def test_marks_on_another_number_of_partitions(self):
        output = f"{self.world.output}.narrow"
        for topic, partitions in ((output, 4), (f"{output}.dead", 4), (f"{output}.marks", 1), (f"{output}.links", 4)):
            self.world.kafka.create(topic, partitions)
        self.assert_refused(f"{output}.marks", output=output)

    def test_link_records_on_a_compacted_topic(self):
        output = f"{self.world.output}.compacted"
        for topic in (output, f"{output}.dead", f"{output}.marks"):
            self.world.kafka.create(topic, 4)
        self.world.kafka.create(f"{output}.links", 4, cleanup_policy="compact")
        self.assert_refused(f"{output}.links is compacted", output=output)

    def test_a_first_start_that_is_not_told_where_to_begin(self):
        self.assert_refused("--from", **{"from": None})

    def test_a_broker_that_is_not_there(self):
        self.assert_refused("127.0.0.1:1", status=1, **{"kafka.bootstrap.servers": "127.0.0.1:1"})
