// The search page: what is chosen there, without losing the place. Every page works without this.
