package dev.plimsoll.simulator;

/**
 * Seeded traffic of requests in domains, over experts whose popularity is log-normal, drifts, and changes with the domain.
 *
 * <p>How an expert becomes popular: per layer a part common to all domains and a part of each domain, both normal, make the
 * logarithm of its popularity; a few hot experts are raised in all domains. A request belongs to one domain and has a style of
 * its own (a further log-normal tilt, drawn from a pool per domain), so tokens of one request resemble each other and counts
 * scatter more than independent tokens would. Domains follow one another as the dominant one, and all parts wander slowly.
 *
 * <p><b>Calibrated on measurements</b>: sigma and the height of hot experts of GPT-OSS and Mixtral ({@link ModelPreset}); the
 * correlation of domains' log-popularity (0.29 to 0.81 between data sets of the GPT-OSS routing); the tilt, so that counts of a
 * request scatter about 18 times as much as independent picks (same data, within one category). <b>Our assumption</b>: sigma and
 * hot experts of the other models, chosen so that the initial placement is about as uneven as published systems report; number
 * of domains, share of the dominant one, speed of the drift, interval of the shifts, request lengths.
 *
 * <p>The model's group-limited routing is not simulated. One thread.
 */
public final class GeneratedTraffic implements Traffic {

    /**
     * The knobs.
     *
     * @param domains number of domains
     * @param domainCorrelation correlation of the log-popularity of two domains
     * @param dominantShare share of new requests that belong to the dominant domain; the others share the rest
     * @param styles tilts per domain
     * @param tilt deviation of a tilt's logarithm, in sigmas of the layer
     * @param hotExperts hot experts per layer; models of fewer than 32 experts per hot one have fewer
     * @param driftSteps steps in which popularity forgets 63 % of what it was; 0 for none
     * @param shiftSteps steps until another domain becomes dominant; 0 for never
     * @param minRequestTokens shortest request
     * @param maxRequestTokens longest request
     */
    public record Calibration(
            int domains,
            double domainCorrelation,
            double dominantShare,
            int styles,
            double tilt,
            int hotExperts,
            int driftSteps,
            int shiftSteps,
            int minRequestTokens,
            int maxRequestTokens) {

        public static final Calibration DEFAULT = new Calibration(5, 0.45, 0.7, 16, 0.5, 2, 50_000, 6_000, 64, 512);

        public Calibration {
            require(
                    domains >= 1 && styles >= 1,
                    "domains=" + domains + " styles=" + styles + ": need at least 1 of each");
            require(domainCorrelation >= 0 && domainCorrelation <= 1, "domainCorrelation=" + domainCorrelation);
            require(dominantShare >= 0 && dominantShare <= 1, "dominantShare=" + dominantShare);
            require(tilt >= 0 && tilt <= 3, "tilt=" + tilt + ": need 0..3");
            require(hotExperts >= 0, "hotExperts=" + hotExperts + ": need 0 or more");
            require(driftSteps >= 0 && shiftSteps >= 0, "driftSteps=" + driftSteps + " shiftSteps=" + shiftSteps);
            require(
                    minRequestTokens >= 1 && maxRequestTokens >= minRequestTokens,
                    "requests of " + minRequestTokens + ".." + maxRequestTokens + " tokens");
        }

        private static void require(boolean valid, String message) {
            if (!valid) {
                throw new IllegalArgumentException(message);
            }
        }
    }

    /** All layers are moved and their tables rebuilt once in so many steps: at most a layer or two per step. */
    private static final int SWEEP_STEPS = 256;
    /** Draws for one pick before the first free expert is taken: bounds a step under the wildest popularity. */
    private static final int MAX_DRAWS = 64;

    private final ModelPreset preset;
    private final Calibration calibration;
    private final TokensPerStep sizes;
    private final int layers;
    private final int experts;
    private final int topK;
    private final SplitMix random;

    private final double[] sigma;
    /** {@code [layer][expert]}: sigmas that it is raised by; 0 for most. */
    private final double[][] hot;
    /** {@code [layer][expert]} and {@code [domain][layer][expert]}, standard normal. */
    private final double[][] common;

    private final double[][][] own;
    /** {@code [style][layer × experts + expert]}: factors; a domain has {@code styles} styles in a row. */
    private final float[][] tilts;

    private final AliasTables tables;
    private final double[] domainWeights;
    private final double[] tableWeights;

    private long nextStep;
    private int dominant;
    /** {@code [lane]}. */
    private final int[] style;

    private final int[] tokensLeft;

    public GeneratedTraffic(ModelPreset preset, Calibration calibration, int lanes, long seed) {
        this(preset, calibration, TokensPerStep.of(lanes), seed);
    }

    /** @param sizes lanes that a step does not have stand still within their requests */
    public GeneratedTraffic(ModelPreset preset, Calibration calibration, TokensPerStep sizes, long seed) {
        this.preset = preset;
        this.calibration = calibration;
        this.sizes = sizes;
        layers = preset.shape().layers();
        experts = preset.shape().experts();
        topK = preset.shape().topK();
        random = new SplitMix(SplitMix.mix(seed));
        sigma = new double[layers];
        hot = new double[layers][experts];
        common = new double[layers][experts];
        own = new double[calibration.domains()][layers][experts];
        int styles = calibration.domains() * calibration.styles();
        tilts = new float[styles][layers * experts];
        tables = new AliasTables(Math.multiplyExact(styles, layers), experts);
        domainWeights = new double[experts];
        tableWeights = new double[experts];
        style = new int[sizes.most()];
        tokensLeft = new int[sizes.most()];
        draw();
    }

    public GeneratedTraffic(ModelPreset preset, int lanes, long seed) {
        this(preset, Calibration.DEFAULT, lanes, seed);
    }

    @Override
    public int lanes() {
        return sizes.most();
    }

    @Override
    public int lanes(long step) {
        return sizes.at(step);
    }

    @Override
    public int layers() {
        return layers;
    }

    @Override
    public int experts() {
        return experts;
    }

    @Override
    public int topK() {
        return topK;
    }

    @Override
    public void step(long step, short[] picks) {
        if (step != nextStep) {
            throw new IllegalArgumentException("step " + step + " asked for, the next one is " + nextStep);
        }
        nextStep++;
        if (step > 0) {
            drift(step);
            shift(step);
        }
        int at = 0;
        int lanes = lanes(step);
        for (int lane = 0; lane < lanes; lane++) {
            if (tokensLeft[lane]-- == 0) {
                tokensLeft[lane] = requestTokens() - 1;
                style[lane] = newStyle();
            }
            int table = style[lane] * layers;
            for (int layer = 0; layer < layers; layer++, table++) {
                for (int k = 0; k < topK; k++) {
                    picks[at + k] = (short) pick(table, picks, at, k);
                }
                at += topK;
            }
        }
    }

    private void draw() {
        for (int layer = 0; layer < layers; layer++) {
            sigma[layer] = preset.minSigma() + random.nextDouble() * (preset.maxSigma() - preset.minSigma());
            for (int i = 0; i < Math.min(calibration.hotExperts(), experts / 32); i++) {
                hot[layer][random.nextInt(experts)] = preset.hotSigmas();
            }
            for (int expert = 0; expert < experts; expert++) {
                common[layer][expert] = random.nextGaussian();
                for (double[][] domain : own) {
                    domain[layer][expert] = random.nextGaussian();
                }
            }
        }
        for (float[] tilt : tilts) {
            for (int i = 0; i < tilt.length; i++) {
                tilt[i] = (float) StrictMath.exp(calibration.tilt() * sigma[i / experts] * random.nextGaussian());
            }
        }
        for (int layer = 0; layer < layers; layer++) {
            rebuild(layer);
        }
        dominant = random.nextInt(calibration.domains());
        for (int lane = 0; lane < style.length; lane++) {
            // A running server is met in mid-request.
            tokensLeft[lane] = random.nextInt(requestTokens());
            style[lane] = newStyle();
        }
    }

    private int pick(int table, short[] picks, int from, int picked) {
        for (int draw = 0; draw < MAX_DRAWS; draw++) {
            int expert = tables.draw(table, random.nextLong());
            if (isFree(expert, picks, from, picked)) {
                return expert;
            }
        }
        int expert = 0;
        while (!isFree(expert, picks, from, picked)) {
            expert++;
        }
        return expert;
    }

    private static boolean isFree(int expert, short[] picks, int from, int picked) {
        for (int i = from; i < from + picked; i++) {
            if (picks[i] == expert) {
                return false;
            }
        }
        return true;
    }

    private int requestTokens() {
        return calibration.minRequestTokens()
                + random.nextInt(calibration.maxRequestTokens() - calibration.minRequestTokens() + 1);
    }

    private int newStyle() {
        int domain = dominant;
        if (calibration.domains() > 1 && random.nextDouble() >= calibration.dominantShare()) {
            domain = (dominant + 1 + random.nextInt(calibration.domains() - 1)) % calibration.domains();
        }
        return domain * calibration.styles() + random.nextInt(calibration.styles());
    }

    private void shift(long step) {
        if (calibration.shiftSteps() > 0 && step % calibration.shiftSteps() == 0) {
            dominant = (dominant + 1) % calibration.domains();
        }
    }

    /** Moves the layers whose turn it is by one step of an Ornstein-Uhlenbeck process, which keeps their variance. */
    private void drift(long step) {
        if (calibration.driftSteps() == 0) {
            return;
        }
        int phase = (int) (step % SWEEP_STEPS);
        double keep = StrictMath.exp(-(double) SWEEP_STEPS / calibration.driftSteps());
        double fresh = StrictMath.sqrt(1 - keep * keep);
        for (int layer = phase * layers / SWEEP_STEPS; layer < (phase + 1) * layers / SWEEP_STEPS; layer++) {
            for (int expert = 0; expert < experts; expert++) {
                common[layer][expert] = keep * common[layer][expert] + fresh * random.nextGaussian();
                for (double[][] domain : own) {
                    domain[layer][expert] = keep * domain[layer][expert] + fresh * random.nextGaussian();
                }
            }
            rebuild(layer);
        }
    }

    private void rebuild(int layer) {
        double commonPart = StrictMath.sqrt(calibration.domainCorrelation());
        double ownPart = StrictMath.sqrt(1 - calibration.domainCorrelation());
        for (int domain = 0; domain < own.length; domain++) {
            for (int expert = 0; expert < experts; expert++) {
                double normal = commonPart * common[layer][expert] + ownPart * own[domain][layer][expert];
                domainWeights[expert] = StrictMath.exp(sigma[layer] * (normal + hot[layer][expert]));
            }
            for (int i = domain * calibration.styles(); i < (domain + 1) * calibration.styles(); i++) {
                for (int expert = 0; expert < experts; expert++) {
                    tableWeights[expert] = domainWeights[expert] * tilts[i][layer * experts + expert];
                }
                tables.build(i * layers + layer, tableWeights);
            }
        }
    }
}
