# What is learnt of public sessions; skipped where the data are absent.
add_executable(learn_sessions ${CMAKE_CURRENT_LIST_DIR}/learn_sessions.c)
target_link_libraries(learn_sessions PRIVATE rules_learn)
add_executable(learn_baskets ${CMAKE_CURRENT_LIST_DIR}/learn_baskets.c)
target_link_libraries(learn_baskets PRIVATE rules_learn)
foreach(name diginetica serenade yoochoose)
  add_test(NAME conformance_learn_${name}
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/learn.py $<TARGET_FILE:learn_sessions> ${name})
  set_tests_properties(conformance_learn_${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
add_test(NAME conformance_learn_baskets
  COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/learn_baskets.py $<TARGET_FILE:learn_baskets>)
set_tests_properties(conformance_learn_baskets PROPERTIES SKIP_RETURN_CODE 77)
