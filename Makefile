# Everything here is a shorthand: the README names the plain command behind each target.

.PHONY: run dev test test-container up down logs up-scale down-scale up-observability

# Installs what is missing. Scripts of dependencies are not run, but for the one that brings Node.js 24: nothing here
# needs a compiler.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	npm rebuild node
	touch $@

run: node_modules/.package-lock.json
	npm run --silent make-env
	npm --silent start

dev: node_modules/.package-lock.json
	npm run --silent make-env
	npm run --silent dev

test: node_modules/.package-lock.json
	npm run --silent lint
	npm run --silent typecheck
	npm --silent test

test-container: node_modules/.package-lock.json
	npm run --silent test:container

up:
	docker compose up --build --detach --wait

# With the dashboard on http://localhost:3000.
up-observability:
	docker compose --profile observability up --build --detach --wait

down:
	docker compose --profile observability down

logs:
	docker compose logs --follow api

up-scale:
	docker compose --file compose.scale.yaml up --build --detach --wait

down-scale:
	docker compose --file compose.scale.yaml --profile observability down
