# SPDX-License-Identifier: Apache-2.0
# Otapult as a component of ESP-IDF, included by the CMakeLists.txt of the project's root.
# The pages come packed, from ui/generated: packing them takes a compiler for this computer, and what runs
# here is the one for the chip.
get_filename_component(otapult_root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
file(GLOB otapult_sources ${otapult_root}/src/*/*.c ${otapult_root}/port/esp-idf/*.c
     ${otapult_root}/ui/generated/otapult_*.c)

idf_component_register(
  SRCS ${otapult_sources}
  INCLUDE_DIRS ${otapult_root}/include
  PRIV_INCLUDE_DIRS ${otapult_root}/src ${otapult_root}/port/esp-idf
  REQUIRES esp_http_server
  PRIV_REQUIRES app_update bootloader_support esp_https_server esp_hw_support esp_partition esp_rom
                esp_system esp_timer hal lwip mbedtls nvs_flash)

# ESP-IDF passes here twice; what follows belongs to the second time, when versions are known.
# Known faults below a branch's release are named in idf_component.yml; a test compares.
set(otapult_least 5.2.7 5.3.6 5.4.5 5.5.5 6.0.1)
foreach(least IN LISTS otapult_least)
  if(least MATCHES "^${IDF_VERSION_MAJOR}\\.${IDF_VERSION_MINOR}\\." AND
     "${IDF_VERSION_MAJOR}.${IDF_VERSION_MINOR}.${IDF_VERSION_PATCH}" VERSION_LESS least)
    message(WARNING "otapult: ESP-IDF ${IDF_VERSION_MAJOR}.${IDF_VERSION_MINOR} has a known fault in its HTTP "
                    "server before ${least}; see docs/board.md")
  endif()
endforeach()
