relance_fuzz(wire_avro wire_avro.c LINK relance_shell)
relance_fuzz(wire_proto wire_proto.c LINK relance_shell)
