import { keyValueStore, type TokenStore } from 'axios-auth-client'

/** What `expo-secure-store` exports. */
interface SecureStore {
  getItemAsync(key: string): Promise<string | null>
  setItemAsync(key: string, value: string): Promise<void>
  deleteItemAsync(key: string): Promise<void>
}

/** Keeps the session where the platform keeps secrets: `store: secureStore(SecureStore, 'session')`. */
export function secureStore(keychain: SecureStore, key: string): TokenStore {
  const { getItemAsync: getItem, setItemAsync: setItem, deleteItemAsync: removeItem } = keychain
  return keyValueStore({ getItem, setItem, removeItem }, { key })
}
