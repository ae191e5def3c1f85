# The simulator: what of the shell decides, says and saves, as it is, over models of the rest.
set(fault_shell
    delivery/worker delivery/membership delivery/resting delivery/telling delivery/flight delivery/partition delivery/linking delivery/claim delivery/recover delivery/waits delivery/published delivery/mishap host/sampler host/mishap delivery/checkpoint delivery/misplaced delivery/partitioner
    delivery/action delivery/lines delivery/counter delivery/mark delivery/meta delivery/frontier delivery/outbox delivery/pulse delivery/wanted
    delivery/standing delivery/sums delivery/adopt delivery/modelbook delivery/number delivery/parcel
    delivery/reload redis/store redis/store_claim redis/store_read redis/store_write redis/resp redis/keys redis/question redis/answer host/print host/terminal host/text host/file
    host/mapping host/preset)
list(TRANSFORM fault_shell PREPEND ${CMAKE_SOURCE_DIR}/consumer/)
list(TRANSFORM fault_shell APPEND .c)
add_executable(fault_sim main.c sim.c ports.c kafka.c redis.c workload.c versions.c judge.c identity.c bugs.c ${fault_shell})
target_include_directories(fault_sim PRIVATE ${CMAKE_SOURCE_DIR}/consumer)
target_compile_definitions(fault_sim PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_link_libraries(fault_sim PRIVATE relance_flags relance_rules relance_presets PkgConfig::CRYPTO PkgConfig::HIREDIS PkgConfig::CJSON
  PkgConfig::XXHASH Threads::Threads)
foreach(symbol getrandom mark_print relance_engine_record relance_engine_hear link_find_with link_knows elsewhere_forward
    overtaken_unasked partition_decided partition_published outbox_clear relance_model_head relance_model_read
    relance_model_apply modelbook_edition modelbook_get store_read_dues partition_write_checkpoint
    relance_engine_saved relance_engine_unsaved)
  target_link_options(fault_sim PRIVATE "LINKER:--wrap=${symbol}")
endforeach()
