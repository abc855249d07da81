-- Another author's script, of the busy kind, by obslua: from timers (OBS runs them on its graphics thread) and a hotkey
-- it renames the source Camera, moves its filters up and down, copies them all to a source that it makes, puts the
-- filter DOPPEL_TEST_SYNC_KIND on a scene of its own, switches scenes, and takes all that away again.

local obs = obslua
local SYNC_KIND = os.getenv("DOPPEL_TEST_SYNC_KIND")
local count = { timer = 0, hotkey = 0 }

-- With DOPPEL_TEST_FILTERS_ON_UI=1 adding and removing filters is left to the Python script, which says why. Here nothing
-- may wait for OBS's UI thread: it waits for this script whenever the hotkey switches scenes (OBS 29 freezes by that).
local on_ui = os.getenv("DOPPEL_TEST_FILTERS_ON_UI") == "1"

local function unless_on_ui(step)
    return function()
        if not on_ui then
            step()
        end
    end
end

-- What is removed is let go of a second later, on the timer; the Python script says why.
local removed = {}

local function hold(source)
    table.insert(removed, { os.time(), obs.obs_source_get_ref(source) })
end

local function let_go(age)
    while removed[1] ~= nil and os.time() - removed[1][1] >= age do
        obs.obs_source_release(table.remove(removed, 1)[2])
    end
end

local function starts(text, beginning)
    return string.sub(text, 1, #beginning) == beginning
end

-- Calls use(source) with the first source whose name begins so.
local function with_source(beginning, use)
    local sources = obs.obs_enum_sources()
    for _, source in ipairs(sources or {}) do
        if starts(obs.obs_source_get_name(source), beginning) then
            use(source)
            break
        end
    end
    obs.source_list_release(sources)
end

-- Calls use(source, filter) with every filter of that source whose name begins so.
local function each_filter(beginning, name, use)
    with_source(beginning, function(source)
        local filters = obs.obs_source_enum_filters(source)
        for _, filter in ipairs(filters or {}) do
            if starts(obs.obs_source_get_name(filter), name) then
                use(source, filter)
            end
        end
        obs.source_list_release(filters)
    end)
end

local function rename_camera()
    with_source("Camera", function(source)
        local plain = obs.obs_source_get_name(source) == "Camera"
        obs.obs_source_set_name(source, plain and "Camera (live)" or "Camera")
    end)
end

local function add_filter()
    with_source("Camera", function(source)
        local made = obs.obs_source_create_private("color_filter_v2", "Lua " .. count.timer, nil)
        obs.obs_source_filter_add(source, made)
        obs.obs_source_release(made)
    end)
end

local MOVES = { obs.OBS_ORDER_MOVE_UP, obs.OBS_ORDER_MOVE_BOTTOM, obs.OBS_ORDER_MOVE_DOWN, obs.OBS_ORDER_MOVE_TOP }

local function move(name)
    each_filter("Camera", name, function(source, filter)
        obs.obs_source_filter_set_order(source, filter, MOVES[math.floor(count.timer / 9) % #MOVES + 1])
    end)
end

local function copy_all()
    local copy = obs.obs_source_create("color_source_v3", "Lua copy", nil, nil)
    with_source("Camera", function(source)
        obs.obs_source_copy_filters(copy, source)
    end)
    obs.obs_source_release(copy)
end

local function make_scene()
    -- A private one: for any other OBS's graphics thread waits for its UI thread, which may be waiting for this script.
    local scene = obs.obs_scene_create_private("Lua scene")
    local source = obs.obs_scene_get_source(scene)
    local made = obs.obs_source_create_private(SYNC_KIND, "Lua sync", nil)
    obs.obs_source_filter_add(source, made)
    obs.obs_source_release(made)
    with_source("Camera", function(camera)
        obs.obs_scene_add(scene, camera)
    end)
    -- Beside the canvas: it is drawn, and nobody sees it.
    local current = obs.obs_frontend_get_current_scene()
    local item = obs.obs_scene_add(obs.obs_scene_from_source(current), source)
    local place = obs.vec2()
    place.x, place.y = -3000, 0
    obs.obs_sceneitem_set_pos(item, place)
    obs.obs_source_release(current)
    obs.obs_scene_release(scene)
end

local function remove_scene()
    local current = obs.obs_frontend_get_current_scene()
    local items = obs.obs_scene_enum_items(obs.obs_scene_from_source(current))
    for _, item in ipairs(items or {}) do
        local source = obs.obs_sceneitem_get_source(item)
        if starts(obs.obs_source_get_name(source), "Lua scene") then
            hold(source)
            obs.obs_sceneitem_remove(item)
        end
    end
    obs.sceneitem_list_release(items)
    obs.obs_source_release(current)
end

local STEPS = {
    rename_camera,
    unless_on_ui(add_filter),
    function() move("Face Swap") end,
    function() each_filter("Camera", "Lua", function(_, filter)
        obs.obs_source_set_enabled(filter, not obs.obs_source_enabled(filter))
    end) end,
    unless_on_ui(make_scene),
    function() move("Lua") end,
    unless_on_ui(copy_all),
    unless_on_ui(function() each_filter("Camera", "Lua", function(source, filter)
        hold(filter)
        obs.obs_source_filter_remove(source, filter)
    end) end),
    unless_on_ui(remove_scene),
}

local function on_timer()
    let_go(2)
    STEPS[count.timer % #STEPS + 1]()
    count.timer = count.timer + 1
end

local function on_look()
    each_filter("Camera", "", function(_, filter)
        local settings = obs.obs_source_get_settings(filter)
        obs.obs_data_get_json(settings)
        obs.obs_data_release(settings)
    end)
end

local function on_hotkey(pressed)
    if not pressed then
        return
    end
    count.hotkey = count.hotkey + 1
    local wanted = count.hotkey % 2 == 1 and "Empty" or "Main"
    local scene = obs.obs_get_source_by_name(wanted)
    obs.obs_frontend_set_current_scene(scene)
    obs.obs_source_release(scene)
end

function script_description()
    return "A neighbour"
end

function script_load(settings)
    obs.timer_add(on_timer, 60)
    obs.timer_add(on_look, 35)
    obs.obs_hotkey_register_frontend("doppel_test_lua", "Doppel test: Lua neighbour", on_hotkey)
end

function script_unload()
    -- Timers and hotkeys go by themselves; here timer_remove, obs_hotkey_unregister and print end OBS 29 by signal 11.
    each_filter("Camera", "Lua", function(source, filter)
        obs.obs_source_filter_remove(source, filter)
    end)
    remove_scene()
    let_go(0)
    with_source("Camera", function(source)
        obs.obs_source_set_name(source, "Camera")
    end)
    obs.blog(obs.LOG_INFO, "lua-timer=" .. count.timer .. " lua-hotkey=" .. count.hotkey)
end
