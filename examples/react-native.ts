import type { TokenStore } from 'axios-auth-client'

/** What `expo-secure-store` exports. */
interface SecureStore {
  getItemAsync(key: string): Promise<string | null>
  setItemAsync(key: string, value: string): Promise<void>
  deleteItemAsync(key: string): Promise<void>
}

/** Keeps the session where the platform keeps secrets: `store: secureStore(SecureStore, 'session')`. */
export function secureStore(place: SecureStore, key: string): TokenStore {
  return {
    load: async () => JSON.parse((await place.getItemAsync(key)) ?? 'null'),
    save: (record) => place.setItemAsync(key, JSON.stringify(record)),
    clear: () => place.deleteItemAsync(key),
  }
}
