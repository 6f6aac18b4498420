package dev.plimsoll.planner.placement;

/** Mean, variance and covariance of the loads of a layer's experts over stages. */
final class FlashLbMoments {
    /** Standard deviations above the mean that are planned for: a normal load stays below in three of four stages. */
    static final double Z = 0.674;

    private final double[] means;
    /** {@code [expert][expert]}, the variance on the diagonal. */
    private final double[][] covariances;

    FlashLbMoments(FlashLbStages stages) {
        int experts = stages.experts();
        this.means = new double[experts];
        this.covariances = new double[experts][experts];
        double[][] aboveMean = new double[experts][stages.stages()];
        for (int expert = 0; expert < experts; expert++) {
            for (int stage = 0; stage < stages.stages(); stage++) {
                means[expert] += stages.load(expert, stage) / stages.stages();
            }
            for (int stage = 0; stage < stages.stages(); stage++) {
                aboveMean[expert][stage] = stages.load(expert, stage) - means[expert];
            }
            for (int other = 0; other <= expert; other++) {
                double sum = 0;
                for (int stage = 0; stage < stages.stages(); stage++) {
                    sum += aboveMean[expert][stage] * aboveMean[other][stage];
                }
                covariances[expert][other] = sum / stages.stages();
                covariances[other][expert] = covariances[expert][other];
            }
        }
    }

    int experts() {
        return means.length;
    }

    /** {@code [expert]}, a copy. */
    double[] means() {
        return means.clone();
    }

    double covariance(int expert, int other) {
        return covariances[expert][other];
    }

    /** {@code [expert]}, mean + z · standard deviation. */
    double[] highs() {
        double[] highs = new double[means.length];
        for (int expert = 0; expert < highs.length; expert++) {
            highs[expert] = high(means[expert], covariances[expert][expert]);
        }
        return highs;
    }

    /** Mean + z · standard deviation; rounding may have left the variance below zero. */
    static double high(double mean, double variance) {
        return mean + Z * Math.sqrt(Math.max(0, variance));
    }
}
