# The reference model: the shared cases, the golden tests of semantics, and random rule sets beside the engine. Under
# sanitizers the fixed seeds only: what they can find there they find in the engine, not in the comparison.
set(model ${CMAKE_CURRENT_SOURCE_DIR}/model)
add_test(NAME conformance_model_cases COMMAND python3 ${model}/model.py --cases ${CMAKE_SOURCE_DIR}/../shared/cases/revised)
set_tests_properties(conformance_model_cases PROPERTIES SKIP_RETURN_CODE 77)
file(GLOB semantics CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/golden/semantics/*.test)
list(FILTER semantics EXCLUDE REGEX "/sales.test$") # the ledger has a second implementation of its own: sales.py
add_test(NAME conformance_model_golden COMMAND python3 ${model}/model.py --golden ${semantics})
if(RELANCE_SANITIZE)
  set(compare_words --seeds 1-30)
else()
  set(compare_words --seeds 1-200,371,405,626,711,501731,501971,502105,700211,700985,701383,702646,703074 --census --seconds 24)
endif()
add_test(NAME conformance_model_compare COMMAND python3 ${model}/compare.py $<TARGET_FILE:relance> ${compare_words})
