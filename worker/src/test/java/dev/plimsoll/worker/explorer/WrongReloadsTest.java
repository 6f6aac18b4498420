package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.RELOAD;
import static dev.plimsoll.worker.explorer.Power.RELOAD_UNASKED;
import static dev.plimsoll.worker.explorer.Power.STOP;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ranks that are wrong about weights that are loaded anew in place: each must come to serve what it did not load, and how is told. */
class WrongReloadsTest {
    private record Mutant(String name, Power power, Rules rules, String breaks) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(
                new Mutant(
                        "hears nothing of weights that were loaded",
                        RELOAD_UNASKED,
                        new Rules() {
                            @Override
                            RankTurn on(RankWords words, RankEvent event) {
                                return event.kind() == RankEvent.Kind.RELOADED
                                        ? new RankTurn(words, List.of())
                                        : super.on(words, event);
                            }
                        },
                        "P2 weights before map"),
                new Mutant(
                        "lets weights be loaded whatever is under way",
                        RELOAD,
                        new Rules() {
                            @Override
                            RankTurn on(RankWords words, RankEvent event) {
                                return event.kind() == RankEvent.Kind.RELOAD
                                        ? new RankTurn(
                                                words.with(Word.RELOADING, PlimsollApi.PLM_RELOAD_UNDER_WAY), List.of())
                                        : super.on(words, event);
                            }
                        },
                        "reload"),
                new Mutant(
                        "votes for a plan whatever weights it has",
                        RELOAD,
                        new Rules() {
                            @Override
                            RankVote vote(RankWords words) {
                                return super.vote(words.with(Word.GENERATION, 0));
                            }
                        },
                        "P2 weights before map"),
                new Mutant(
                        "flips what came before its weights were loaded",
                        RELOAD_UNASKED,
                        new Rules() {
                            @Override
                            RankTurn on(RankWords words, RankEvent event) {
                                boolean verdict = event.kind() == RankEvent.Kind.VERDICT;
                                return super.on(
                                        verdict ? words.with(Word.RELOADING, PlimsollApi.PLM_RELOAD_NONE) : words,
                                        event);
                            }
                        },
                        "P2 weights before map"));
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongRankIsCaught(Mutant mutant) {
        Scope scope = Scope.of(Powers.NONE.with(STOP).with(mutant.power()), List.of(Plans.SMALL))
                .with(mutant.rules());
        WrongRanksTest.assertCaught("a rank that " + mutant.name(), scope, mutant.breaks());
    }
}
