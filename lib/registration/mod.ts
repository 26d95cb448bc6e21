/**
 * Registration: what a node publishes about itself from time to time, for whoever keeps an inventory of the fleet.
 *
 * @module
 */
export { type FileContentOptions, fileContent } from "./file_content.ts";
export { type Inventory, type InventoryContentOptions, inventoryContent } from "./inventory_content.ts";
export { type RegistrationMessage, type RegistrationSender, registrationMessage } from "./message.ts";
export type { RegistrationProvider } from "./provider.ts";
export { type RegistrarOptions, startRegistration } from "./registrar.ts";
