add_test(NAME conformance_model_cases COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/model/model.py
  --cases ${CMAKE_SOURCE_DIR}/../shared/cases)
set_tests_properties(conformance_model_cases PROPERTIES SKIP_RETURN_CODE 77)
file(GLOB semantics CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/golden/semantics/*.test)
add_test(NAME conformance_model_semantics COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/model/model.py
  --golden ${semantics})
