"""Configuration: files, environment, arguments; who may say what, and errors that name the place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmspell.errors import ConfigError
from llmspell.host.config import LIMITS, Config, load_config
from llmspell.policy import Policy

MB = 1024 * 1024


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory with a configuration directory of its own; returns a writer of the user's file."""
    directory = tmp_path / "home"
    settings = directory / ".config" / "llmspell"
    settings.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / ".config"))

    def write(text: str) -> None:
        (settings / "config.toml").write_text(text)

    return write


@pytest.fixture
def project(home, tmp_path):
    """A project directory; returns a writer of its file, which returns how to load it."""
    directory = tmp_path / "project"
    directory.mkdir()

    def write(text: str, **environ: str):
        (directory / "llmspell.toml").write_text(text)
        return load_config(directory=directory, environ=environ)

    write.directory = directory
    return write


def load(directory, **environ: str) -> Config:
    return load_config(directory=directory, environ=environ)


def test_without_files_the_defaults_stand(home, tmp_path) -> None:
    config = load(tmp_path)
    assert config.plugins.allow is None
    assert config.policy.profile == "sandbox"
    assert config.default_policy() == Policy.profile("sandbox")


def test_the_users_file_is_read(home, tmp_path) -> None:
    home('[plugins]\nblock = ["noisy"]\n[bridges.notes]\npath = "x"\n[engines.lua]\nvm = "lua55"\n')
    config = load(tmp_path)
    assert config.plugins.block == ("noisy",)
    assert config.bridges == {"notes": {"path": "x"}}
    assert config.engines == {"lua": {"vm": "lua55"}}


def test_the_project_wins_over_the_user_and_the_environment_over_both(home, project) -> None:
    home('[models]\ndefault = "mine"\n[models.aliases]\nfast = "a"\n')
    config = project('[models]\ndefault = "theirs"\n[models.aliases]\nsmart = "b"\n')
    assert config.models.default == "theirs"
    assert config.models.aliases == {"fast": "a", "smart": "b"}
    assert load(project.directory, LLMSPELL_MODEL="env").models.default == "env"


def test_the_environment_names_plugins_and_a_profile(home, tmp_path) -> None:
    config = load(tmp_path, LLMSPELL_PLUGINS="lua, std", LLMSPELL_BLOCK="x", LLMSPELL_PROFILE="production")
    assert config.plugins.allow == ("lua", "std")
    assert config.plugins.block == ("x",)
    assert config.default_policy().name == "production"


def test_blocked_plugins_add_up(home, tmp_path) -> None:
    home('[plugins]\nblock = ["a", "b"]\n')
    assert load(tmp_path, LLMSPELL_BLOCK="b,c").plugins.block == ("a", "b", "c")


def test_a_mapping_is_checked_and_nothing_else_is_read(home, tmp_path, monkeypatch) -> None:
    home('[plugins]\nblock = ["from-file"]\n')
    monkeypatch.setenv("LLMSPELL_BLOCK", "from-environment")
    assert load_config({"plugins": {"prefer": {"engine:lua": "x"}}}).plugins.block == ()


def test_a_config_is_returned_as_it_is() -> None:
    config = Config()
    assert load_config(config) is config


def test_a_named_file_is_the_only_one_and_trusted(home, tmp_path) -> None:
    home('[plugins]\nblock = ["from-user"]\n')
    (tmp_path / "mine.toml").write_text('[bridges.notes]\npath = "x"\n')
    config = load_config(path=tmp_path / "mine.toml", directory=tmp_path, environ={})
    assert (config.plugins.block, config.bridges) == ((), {"notes": {"path": "x"}})


def test_the_projects_file_is_found_from_below(home, project) -> None:
    project('[models]\ndefault = "found"\n')
    below = project.directory / "a" / "b"
    below.mkdir(parents=True)
    assert load(below).models.default == "found"


def test_the_search_stops_at_a_repository(home, project) -> None:
    project('[models]\ndefault = "found"\n')
    repository = project.directory / "repository"
    (repository / ".git").mkdir(parents=True)
    assert load(repository).models.default is None


# Who may say what


def test_an_untrusted_project_cannot_widen_the_policy(home, project) -> None:
    policy = project('[policy]\nprofile = "development"\n').default_policy()
    assert policy.grants.net == frozenset()
    assert policy.grants.read == frozenset()
    assert policy.limits.time == Policy.profile("sandbox").limits.time


def test_an_untrusted_project_can_tighten_the_policy(home, project) -> None:
    home('[policy]\nprofile = "development"\n')
    policy = project('[policy]\nprofile = "sandbox"\nlimits = "tiny"\n[limits.tiny]\ntime = "1s"\n').default_policy()
    assert policy.limits.time == 1
    assert policy.grants.net == frozenset()


def test_an_untrusted_project_cannot_redefine_the_users_limits(home, project) -> None:
    home('[policy]\nlimits = "normal"\n')
    policy = project('[limits.normal]\ntime = "1h"\nmemory = "8GB"\n').default_policy()
    assert policy.limits.time == 30
    assert policy.limits.memory == 64 * MB


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[plugins]\nblock = ["guard"]\n', "plugins.block"),
        ('[plugins]\nallow = ["evil"]\n', "plugins.allow"),
        ('[plugins.prefer]\nlua = "evil"\n', "plugins.prefer"),
        ('[bridges.llm]\nbase_url = "http://evil.example"\n', "bridges.llm"),
        ('[models.providers.openai]\nbase_url = "http://evil.example"\n', "models.providers"),
        ('[policy.grants]\nread = ["/"]\n', "policy.grants"),
        ("[engines.lua]\nx = 1\n", "engines.lua"),
        ('trust = ["/"]\n', "trust"),
    ],
)
def test_what_an_untrusted_project_may_not_say_is_not_followed_and_told(home, project, text, key) -> None:
    config = project(text)
    assert replace(config, ceiling=(), warnings=()) == Config()
    assert config.default_policy() == Policy.profile("sandbox")
    (warning,) = config.warnings
    assert warning.startswith(str(project.directory / "llmspell.toml"))
    assert f"{key} is not followed, since the project is not trusted" in warning


def test_a_trusted_project_may_say_anything(home, project) -> None:
    home(f'trust = ["{project.directory}"]\n')
    config = project('[policy]\nprofile = "development"\n[policy.grants]\nread = ["data"]\n[bridges.llm]\nx = 1\n')
    policy = config.default_policy()
    assert policy.name == "development"
    assert str(project.directory / "data") in policy.grants.read
    assert config.bridges == {"llm": {"x": 1}}
    assert config.warnings == ()


def test_trust_follows_the_real_directory_not_a_link(home, project, tmp_path) -> None:
    project("[bridges.llm]\nx = 1\n")
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "link").symlink_to(project.directory)
    home(f'trust = ["{trusted}"]\n')
    assert load(trusted / "link").bridges == {}


# Policy and limits


@pytest.mark.parametrize(("name", "time"), [("strict", 10), ("normal", 30), ("relaxed", 600)])
def test_limits_are_chosen_by_name(name, time) -> None:
    policy = load_config({"policy": {"limits": name}}).default_policy()
    assert policy.limits.time == time
    assert policy.limits.memory == LIMITS[name]["memory"]
    assert policy.limits.tokens == Policy.profile("sandbox").limits.tokens


def test_a_set_of_limits_can_be_changed_and_added() -> None:
    settings = {"policy": {"limits": "relaxed"}, "limits": {"relaxed": {"time": "2m"}, "own": {"steps": 5}}}
    config = load_config(settings)
    assert config.default_policy().limits.time == 120
    assert config.default_policy().limits.memory == 1024 * MB
    assert config.limits_named("own") == {"steps": 5}


def test_grants_add_to_the_profile() -> None:
    policy = load_config({"policy": {"grants": {"net": ["api.example.org"]}}}).default_policy()
    assert policy.grants.net == {"api.example.org"}
    assert policy.grants.bridges == Policy.profile("sandbox").grants.bridges


def test_a_plugins_policy_can_be_the_profile() -> None:
    lab = Policy.strict()
    assert load_config({"policy": {"profile": "lab"}}).default_policy({"lab": lab}.__getitem__) == lab


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(ConfigError, match=r"policy\.profile: there is no profile named 'sandbx'") as caught:
        load_config({"policy": {"profile": "sandbx"}}).default_policy()
    assert "sandbox" in caught.value.hint


def test_an_unknown_set_of_limits_is_named() -> None:
    with pytest.raises(ConfigError, match="no set of limits named 'strickt'") as caught:
        load_config({"policy": {"limits": "strickt"}}).default_policy()
    assert caught.value.hint == "did you mean 'strict'?"


# Errors


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[plugins]\nallow = [\n", 2, r"at end of document"),
        ("[plugins]\nallow = [,]\n", 2, "Invalid value"),
        ('\n[plugins]\nalow = ["x"]\n', 3, "there is no key 'plugins.alow'"),
        ("[plugins]\n\nblock = 3\n", 3, "plugins.block: must be a list, not an integer"),
        ("[models]\n[plugin]\n", 2, "there is no key 'plugin'"),
        ('[limits.own]\n# a comment\ntime = "soon"\n', 3, "limits.own.time: 'soon' is not a duration"),
        ('[limits]\nown.memory = "1KB"\n', 2, "limits.own.memory: must be at least 1,048,576, not 1,024"),
        ("ceiling = []\n", 1, "there is no key 'ceiling'"),
        ('[policy]\nprofile = "x"\n[policy.grants]\n"fils" = []\n', 4, "there is no key 'policy.grants.fils'"),
    ],
)
def test_an_error_names_file_line_and_key(home, project, text, line, words) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        project(text)
    path = str(project.directory / "llmspell.toml")
    assert caught.value.message.startswith(f"{path}:{line}:")
    assert caught.value.exit_code == 3


def test_a_misspelt_key_suggests_the_right_one(home, project) -> None:
    with pytest.raises(ConfigError) as caught:
        project("[plugins]\nalow = []\n")
    assert caught.value.hint == "did you mean 'allow'?"


def test_an_error_in_the_environment_names_the_variable(home, tmp_path) -> None:
    config = load(tmp_path, LLMSPELL_PROFILE="nowhere")
    with pytest.raises(ConfigError, match="no profile named 'nowhere'"):
        config.default_policy()


def test_a_file_that_is_not_utf8_names_the_line(home, project) -> None:
    (project.directory / "llmspell.toml").write_bytes(b"[models]\ndefault = '\xff'\n")
    with pytest.raises(ConfigError, match=r"llmspell.toml:2: the file is not UTF-8"):
        load(project.directory)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(path=tmp_path / "absent.toml", environ={})


def test_more_than_one_problem_is_counted(home, project) -> None:
    with pytest.raises(ConfigError, match=r"\(and 1 more\)"):
        project("[plugins]\nblock = 3\nallow = 4\n")
