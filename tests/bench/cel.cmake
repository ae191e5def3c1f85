add_executable(cel_bench ${CMAKE_CURRENT_LIST_DIR}/cel_bench.c)
target_link_libraries(cel_bench PRIVATE rules_cel)
