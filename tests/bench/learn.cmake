add_executable(learn_bench ${CMAKE_CURRENT_LIST_DIR}/learn_bench.c)
target_link_libraries(learn_bench PRIVATE rules_learn)
