/** Who stands behind the agents that come with the server. */
export const author = { author: "Choria", license: "Apache-2.0", url: "https://choria.io" } as const;
