# event_bench LINES: ns per event read. LINES is what `cart_stream - x EVENTS CUSTOMERS SEED /dev/null` prints.
add_executable(event_bench event_bench.c)
target_include_directories(event_bench PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(event_bench PRIVATE rules_event)
