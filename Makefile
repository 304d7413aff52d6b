# KoBERT 한국어 감정 분류 — `make help`
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
RUN ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)
SAMPLE = kobert_hf_emotion/assets/sample

.DEFAULT_GOAL := help
.PHONY: help install browser demo test slow avx2 check docs notebooks format dist clean

help: ## 이 도움말 (this help)
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## 가상 환경과 의존성 설치 (environment and dependencies)

# torch comes first and pinned: without the pin pip takes the build with gigabytes of CUDA.
$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,dev,docs]'
	touch $@

demo: install ## 예제 CSV로 k겹 학습, 시험, 예측 (k-fold training, test, prediction)
	$(BIN)/kobert-emotion train $(SAMPLE)/train.csv --model default --folds 5 --epochs 5 --learning-rate 1e-3 \
		--legacy-export --output $(RUN)
	$(BIN)/kobert-emotion test $(RUN) $(SAMPLE)/test.csv
	$(BIN)/kobert-emotion predict $(RUN)/best $(SAMPLE)/test.csv --output $(RUN)/predictions.csv
	$(BIN)/kobert-emotion predict $(RUN)/best "오늘 정말 행복했어" "밤길에 누가 자꾸 따라와서 무서웠어"

# Debian's Chromium, for the tests of the page, where it can be had; without it they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; } \
		|| echo "chromium이 없어 페이지 테스트를 건너뜁니다 (no chromium: the tests of the page are skipped)"

PYTEST = $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test: install browser ## 테스트 (tests)
	$(PYTEST) -m 'not slow'

slow: install browser ## 오래 걸리는 테스트: 죽인 실행, 클러스터, 온전한 학습 (the long tests: killed runs, clusters, whole trainings)
	$(PYTEST) -m slow

# What moves with the processor's arithmetic and threads, as a desktop without AVX-512 computes it.
AVX2 = ATEN_CPU_CAPABILITY=avx2 DNNL_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 OMP_NUM_THREADS=1

avx2: install ## 수치 테스트를 AVX2와 스레드 하나로 (numeric tests as a processor without AVX-512 runs them)
	$(AVX2) $(PYTEST) -m numeric \
		$$(grep -rl --include='*.py' 'mark\.numeric' tests)

check: install ## ruff와 mypy (lint, format, types)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install browser ## 문서 사이트와 링크 확인, build/site에; 그림도 (the documentation as a site, its links followed; pictures)
	$(BIN)/python docs/images/renew.py
	$(BIN)/python docs/site/build.py --output build/site --work build/docs

notebooks: install ## 예제 노트북을 실행해 결과를 담음 (execute the notebooks of examples/, outputs inside)
	OMP_NUM_THREADS=1 $(BIN)/python docs/site/notebooks.py

format: install ## 코드 정리 (format the code)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dist: install ## 배포 파일을 만들어 빈 환경에서 확인 (wheel and sdist, checked, installed in an empty environment)
	rm -rf build dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv build/empty
	build/empty/bin/python -m pip install --quiet --constraint constraints.txt torch
	build/empty/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	cd build && empty/bin/kobert-emotion predict default "오늘 정말 행복했어"

clean: ## 빌드와 캐시 삭제 (remove builds and caches)
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
