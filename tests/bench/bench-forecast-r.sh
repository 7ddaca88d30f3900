#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-forecast-r.sh DIR [METHOD...] : foresnap's forecasts beside those of R's forecast
# package (r-cran-forecast), of the same series from the same origins in one run. Prints for
# each method the mean of the MASE over series, the geometric mean, the wins of foresnap,
# and by paired bootstrap of the series the probability that foresnap is not better.
# Methods: snaive theta stlf, which take minutes; also hw and arima, which take very long (each
# is refit at each origin).
#   FSN_BENCH_EVERY=N    only each N-th series (default 1: all)
#   FSN_BENCH_OWN=FILE   forecast-bench's output of before, in place of another run
#   FSN_BENCH_KEEP=FILE  scores that are done, to go on with after an interruption
#   FSN_BENCH_SECONDS=N  no new series after so long (default 1200); what is done is compared
set -euo pipefail

bench=${top_builddir:-build/main}/tests/bench/forecast-bench
folder=${1:?which folder of series?}
shift
methods=("$@")
[ ${#methods[@]} -gt 0 ] || methods=(snaive theta stlf)

if ! [ -f "$folder/index.csv" ]; then
    echo "skipped: there is no $folder/index.csv"
    exit 77
fi
if ! command -v Rscript >/dev/null || ! Rscript -e 'library(forecast)' >/dev/null 2>&1; then
    echo "skipped: R or its package forecast is missing (r-cran-forecast)"
    exit 77
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/foresnap-bench-forecast-XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -n "${FSN_BENCH_OWN:-}" ]; then
    cp "$FSN_BENCH_OWN" "$work/own.csv"
else
    "$bench" "$folder" >"$work/own.csv" 2>"$work/own.err"
    cat "$work/own.err"
fi

cat >"$work/beside.R" <<'R'
suppressMessages(library(forecast))
args <- commandArgs(TRUE)
folder <- args[1]
own <- read.csv(args[2])
keep <- args[3]
every <- as.integer(args[4])
limit <- as.numeric(args[5])
methods <- args[-(1:5)]
started <- proc.time()[["elapsed"]]
index <- read.csv(file.path(folder, "index.csv"))
run <- function(method, w, m, h) {
    x <- ts(w, frequency = m)
    switch(method,
        snaive = snaive(x, h)$mean,
        theta = thetaf(x, h)$mean,
        stlf = stlf(x, h)$mean,
        hw = forecast(HoltWinters(x), h)$mean,
        arima = {
            k <- min(5, m %/% 2 - 1)
            fit <- auto.arima(x, xreg = fourier(x, k), seasonal = FALSE, approximation = TRUE)
            forecast(fit, xreg = fourier(x, k, h))$mean
        })
}
key <- paste(own$series, own$origin)
scores <- list()
seconds <- setNames(numeric(length(methods)), methods)
columns <- c("foresnap", methods)
if (file.exists(keep)) {
    # of the same methods, or it is begun anew
    kept <- read.csv(keep, row.names = 1)
    if (setequal(colnames(kept), columns))
        for (name in rownames(kept)) scores[[name]] <- unlist(kept[name, columns])
}
for (i in seq(1, nrow(index), by = every)) {
    name <- index$name[i]
    if (!is.null(scores[[name]])) next
    if (proc.time()[["elapsed"]] - started > limit) break
    m <- index$season_day[i]
    v <- read.csv(file.path(folder, index$file[i]))$value
    window <- if (index$period_s[i] == 3600) 672 else 2016
    each <- NULL
    for (o in unique(own$origin[own$series == name])) {
        w <- v[max(1, o - window + 1):o]
        y <- v[o + seq_len(m)]
        scale <- max(mean(abs(diff(w, m))), 1e-3 * (mean(abs(y)) + 1e-9))
        mase <- function(f) mean(abs(y - pmax(as.numeric(f), 0))) / scale
        row <- c(foresnap = mase(own$mean[key == paste(name, o)]))
        for (method in methods) {
            t <- system.time(f <- tryCatch(run(method, w, m, m),
                error = function(e) rep(tail(w, m), length.out = m)))
            seconds[method] <- seconds[method] + t[["user.self"]]
            row[method] <- mase(f)
        }
        each <- rbind(each, row)
    }
    scores[[name]] <- colMeans(each)
    write.csv(do.call(rbind, scores), keep)
}
table <- do.call(rbind, scores)
cat(sprintf("%d of %d series\n", nrow(table), nrow(index)))
set.seed(1)
picks <- replicate(10000, sample(nrow(table), replace = TRUE))
cat("method        MASE  geometric  wins   p      s\n")
for (method in colnames(table)) {
    d <- table[, "foresnap"] - table[, method]
    p <- mean(colMeans(matrix(d[picks], nrow(table))) >= 0)
    cat(sprintf("%-12s %6.3f %8.3f %6s %6s %6s\n", method, mean(table[, method]),
        exp(mean(log(pmax(table[, method], .01)))),
        if (method == "foresnap") "-" else sprintf("%d/%d", sum(d < 0), nrow(table)),
        if (method == "foresnap") "-" else sprintf("%.4f", p),
        if (method == "foresnap") "-" else sprintf("%.0f", seconds[method])))
}
R
Rscript "$work/beside.R" "$folder" "$work/own.csv" "${FSN_BENCH_KEEP:-$work/keep.csv}" \
    "${FSN_BENCH_EVERY:-1}" "${FSN_BENCH_SECONDS:-1200}" "${methods[@]}"
