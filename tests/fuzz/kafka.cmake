relance_fuzz(kafka_batches kafka_batches.c LINK relance_shell)
