# SPDX-License-Identifier: Apache-2.0
# Otapult as a component of ESP-IDF, included by the CMakeLists.txt of the project's root.
# The pages come packed, from ui/generated: packing them takes a compiler for this computer, and what runs
# here is the one for the chip.
get_filename_component(otapult_root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
file(GLOB otapult_sources ${otapult_root}/src/*/*.c ${otapult_root}/port/esp-idf/*.c
     ${otapult_root}/ui/generated/otapult_*.c)

set(otapult_hal hal)
if(EXISTS $ENV{IDF_PATH}/components/esp_hal_wdt) # from 6.1 on hal/wdt_hal.h is here
  list(APPEND otapult_hal esp_hal_wdt)
endif()

idf_component_register(
  SRCS ${otapult_sources}
  INCLUDE_DIRS ${otapult_root}/include
  PRIV_INCLUDE_DIRS ${otapult_root}/src ${otapult_root}/port/esp-idf
  REQUIRES esp_http_server
  PRIV_REQUIRES app_update bootloader_support esp_http_client esp_https_server esp_hw_support esp_netif esp_partition
                esp_rom esp_system esp_timer ${otapult_hal} lwip mbedtls nvs_flash soc)

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

# The watchdog of a trial is armed before app_main(): calls of that go to port/esp-idf/app_main.c first.
if(CONFIG_OTAPULT_WATCHDOG)
  target_link_libraries(${COMPONENT_LIB} INTERFACE "-Wl,--wrap=app_main" "-u __wrap_app_main")
endif()

# A new firmware that fails comes back only with all of these; each is the default somewhere, and wrong elsewhere.
if(NOT CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE)
  message(WARNING "otapult: CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is off: a firmware that fails stays")
endif()
if(CONFIG_ESP_SYSTEM_PANIC_PRINT_HALT OR CONFIG_ESP_SYSTEM_PANIC_GDBSTUB)
  message(WARNING "otapult: the panic handler does not restart the chip, as CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT "
                  "would have it: a firmware that crashes never comes back")
endif()
if(NOT CONFIG_OTAPULT_WATCHDOG AND NOT CONFIG_ESP_TASK_WDT_PANIC)
  message(WARNING "otapult: neither CONFIG_OTAPULT_WATCHDOG nor CONFIG_ESP_TASK_WDT_PANIC is on: "
                  "a firmware that hangs never comes back")
endif()
