FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No script of a dependency is needed: better-sqlite3 brings its binary inside the package.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000
# Everything else belongs to root, and needs not be written: the root file system may be read-only.
RUN install --directory --owner=node --group=node --mode=700 /data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
# Where DATABASE_URL is by default. As a variable of the image it would stand beside the DATABASE_URL_FILE of whoever has that.
RUN ln -s /data data
RUN install --directory --owner=node --group=node node_modules/.cache
USER node
RUN ["node", "--max-semi-space-size=8", "--import", "./scripts/compile-cache.js", "scripts/warm-up.ts"]
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Neither of the two commands needs a shell. Node.js itself is process 1, so that SIGTERM reaches it.
# A small young generation and code that is compiled already keep the memory of its threads small.
CMD ["node", "--max-semi-space-size=8", "--import", "./scripts/compile-cache.js", "server.ts"]
