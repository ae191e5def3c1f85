add_executable(cel_bench ${CMAKE_CURRENT_LIST_DIR}/cel_bench.c)
target_include_directories(cel_bench PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(cel_bench PRIVATE rules_cel)
