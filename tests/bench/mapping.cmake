# mapping_bench: ns a record through Segment's preset, beside reading a native event of as many bytes.
add_executable(mapping_bench mapping_bench.c)
target_include_directories(mapping_bench PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_compile_definitions(mapping_bench PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_link_libraries(mapping_bench PRIVATE rules_mapping)
