# What is learnt, as it travels.
foreach(name model_bytes learn_state)
  relance_fuzz(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c LINK rules_learn)
endforeach()
