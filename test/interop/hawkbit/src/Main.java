/* SPDX-License-Identifier: Apache-2.0 */
package otapult.test;

import org.eclipse.hawkbit.autoconfigure.security.EnableHawkbitManagedSecurityConfiguration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/* Everything of hawkBit that the packages hold, in one program. Method security is switched on by hawkBit itself: a
 * second annotation for it keeps the server from starting. */
@SpringBootApplication(scanBasePackages = "org.eclipse.hawkbit")
@EnableHawkbitManagedSecurityConfiguration
public class Main {
    public static void main(String[] args) {
        SpringApplication.run(Main.class, args);
    }
}
