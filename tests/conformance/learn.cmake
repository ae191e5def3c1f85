# What is learnt, against public sessions and a real shop's orders; skipped where the data are absent.
add_executable(learn_sessions ${CMAKE_CURRENT_LIST_DIR}/learn_sessions.c)
target_link_libraries(learn_sessions PRIVATE rules_learn)
